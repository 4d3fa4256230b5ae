import markupsafe._speedups
from markupsafe import Markup, escape

assert escape.__globals__["_escape_inner"] is markupsafe._speedups._escape_inner
print(escape("<a href='x'>&</a>"), Markup("<b>%s</b>") % "<i>")
