//! PE: symbols and libraries from the import tables and the export table (Microsoft's "PE Format").

use object::LittleEndian as LE;
use object::Object as _;
use object::read::pe::{ExportTarget, ImageNtHeaders, ImageThunkData as _, PeFile};

use crate::binary::text;
use crate::{Binary, Error, Format, Import};

pub(crate) fn read<Pe: ImageNtHeaders>(bytes: &[u8]) -> Result<Binary, Error> {
    let file = PeFile::<Pe, &[u8]>::parse(bytes)?;
    let mut binary = Binary::new(Format::Pe, file.architecture());
    if let Some(table) = file.import_table()? {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let library = text(table.name(descriptor.name.get(LE))?);
            binary.needed.push(library.clone());
            // Without the names' own list, the addresses' list still holds the names: it is
            // overwritten when the file is loaded.
            let first = match descriptor.original_first_thunk.get(LE) {
                0 => descriptor.first_thunk.get(LE),
                names => names,
            };
            let mut thunks = table.thunks(first)?;
            while let Some(thunk) = thunks.next::<Pe>()? {
                if !thunk.is_ordinal() {
                    let (_, name) = table.hint_name(thunk.address())?;
                    binary.imports.push(import(name, &library));
                }
            }
        }
    }
    let delayed = file.data_directories().delay_load_import_table(bytes, &file.section_table())?;
    if let Some(table) = delayed {
        let mut descriptors = table.descriptors()?;
        while let Some(descriptor) = descriptors.next()? {
            let library = text(table.name(descriptor.dll_name_rva.get(LE))?);
            binary.needed.push(library.clone());
            let mut thunks = table.thunks(descriptor.import_name_table_rva.get(LE))?;
            while let Some(thunk) = thunks.next::<Pe>()? {
                if !thunk.is_ordinal() {
                    let (_, name) = table.hint_name(thunk.address())?;
                    binary.imports.push(import(name, &library));
                }
            }
        }
    }
    if let Some(table) = file.export_table()? {
        let name = file.section_table().pe_data_at(bytes, table.directory().name.get(LE));
        binary.name = name.and_then(|bytes| bytes.split(|byte| *byte == 0).next()).map(text);
        for export in table.exports()? {
            let is_used = !matches!(export.target, ExportTarget::Address(0));
            binary.exports.extend(export.name.filter(|_| is_used).map(text));
        }
    }
    Ok(binary)
}

fn import(name: &[u8], library: &str) -> Import {
    Import { name: text(name), library: Some(library.to_owned()), weak: false }
}
