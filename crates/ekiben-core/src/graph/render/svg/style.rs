//! How the drawing looks: one style sheet, light and, where the reader prefers it, dark.
//!
//! Colours are written out in each rule, for renderers without CSS variables (librsvg). `c0` is the
//! core's colour, the others are the plugins'; `t0` and so on are the same for text.

/// The number of colours. With more authors, they repeat.
pub(super) const COLOURS: usize = 8;

/// The size of the text in the legend and the notes, in pixels.
pub(super) const SMALL_SIZE: f64 = 11.5;

/// The style sheet. Sizes in it are those that widths are computed with.
pub(super) const SHEET: &str = "
.mid{text-anchor:middle}
text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;fill:#1f2933}
.name,.label{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono','DejaVu Sans Mono',monospace}
.title{font-size:21px;font-weight:650}
.name{font-size:13px;font-weight:600}
.summary{font-size:11.5px;fill:#57636f}
.label{font-size:11px;fill:#46525e}
.number{font-size:9.5px;font-weight:600}
.note{font-size:13px;fill:#57636f}
.small{font-size:11.5px;fill:#57636f}
.paper{fill:#fff}
.rule{stroke:#e1e6eb}
.box,.frame{stroke-width:1.4}
.frame{fill-opacity:.35;stroke-dasharray:1 0}
.point{fill:#fff;stroke:#7b8794;stroke-width:1.2;stroke-dasharray:2 3}
.anchor .name{font-size:11.5px;font-weight:500;font-style:italic;fill:#57636f}
.pill{fill:#f5f7f9;stroke:#cbd3db}
.target .pill{fill:#1f2933;stroke:#1f2933}
.target .label{fill:#fff;font-weight:600}
.line path{fill:none;stroke:#8e9baa;stroke-width:1.5;stroke-linecap:round}
.line .head{fill:#8e9baa;stroke:none}
.order path{stroke:#c2790c;stroke-dasharray:1 5}
.order .head{fill:#c2790c}
.required path{stroke:#c0365e;stroke-dasharray:7 4}
.required .head{fill:#c0365e}
.faded{opacity:.3}
.command.faded .box{stroke-dasharray:4 3}
.c0{fill:#eef2f7;stroke:#5f7488}
.c1{fill:#eceefe;stroke:#4f58d0}
.c2{fill:#e2f5f2;stroke:#0c8276}
.c3{fill:#fdf0e3;stroke:#bd5f08}
.c4{fill:#fbeaf4;stroke:#b3307c}
.c5{fill:#eaf6e6;stroke:#3b852d}
.c6{fill:#f3ebfc;stroke:#7a3cbb}
.c7{fill:#faf3d6;stroke:#8a6d08}
text.t0{fill:#5f7488}
text.t1{fill:#4f58d0}
text.t2{fill:#0c8276}
text.t3{fill:#bd5f08}
text.t4{fill:#b3307c}
text.t5{fill:#3b852d}
text.t6{fill:#7a3cbb}
text.t7{fill:#8a6d08}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.summary,.note,.small,.anchor .name{fill:#9aa7b4}
.label{fill:#b6c2cd}
.paper{fill:#0f141a}
.rule{stroke:#26303a}
.point{fill:#0f141a;stroke:#7b8794}
.pill{fill:#1a222b;stroke:#3a4653}
.target .pill{fill:#e6edf3;stroke:#e6edf3}
.target .label{fill:#0f141a}
.line path{stroke:#66737f}
.line .head{fill:#66737f;stroke:none}
.order path{stroke:#e0a03c}
.order .head{fill:#e0a03c}
.required path{stroke:#f0718f}
.required .head{fill:#f0718f}
.faded{opacity:.38}
.c0{fill:#1b2530;stroke:#8ba1b8}
.c1{fill:#1e2248;stroke:#99a2ff}
.c2{fill:#0f2e2c;stroke:#4ccdbf}
.c3{fill:#38240f;stroke:#f2a253}
.c4{fill:#381b2d;stroke:#ee88c0}
.c5{fill:#192e15;stroke:#83d175}
.c6{fill:#2b1b3e;stroke:#c495f8}
.c7{fill:#2f280c;stroke:#dcbd47}
text.t0{fill:#8ba1b8}
text.t1{fill:#99a2ff}
text.t2{fill:#4ccdbf}
text.t3{fill:#f2a253}
text.t4{fill:#ee88c0}
text.t5{fill:#83d175}
text.t6{fill:#c495f8}
text.t7{fill:#dcbd47}
}
";
