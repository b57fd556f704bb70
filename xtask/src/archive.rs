//! The zip of a function: one file, and nothing in it that depends on when or where it was made.

use std::io::{Cursor, Write};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The name under which Lambda's custom runtimes look for the program.
const BOOTSTRAP: &str = "bootstrap";

/// A zip of this program: the earliest time a zip can tell, readable and executable by all, as Lambda needs it.
pub(crate) fn of_program(program: &[u8]) -> ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(BOOTSTRAP, options)?;
    zip.write_all(program)?;
    Ok(zip.finish()?.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use zip::ZipArchive;

    use super::*;

    #[test]
    fn it_holds_the_program_executable_and_without_a_date() {
        let bytes = of_program(b"program").unwrap();
        let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(zip.len(), 1);
        let mut file = zip.by_name("bootstrap").unwrap();
        assert_eq!(file.unix_mode(), Some(0o100_755));
        assert_eq!(file.last_modified(), Some(DateTime::DEFAULT));
        let mut content = Vec::new();
        file.read_to_end(&mut content).unwrap();
        assert_eq!(content, b"program");
    }

    #[test]
    fn the_same_program_gives_the_same_bytes() {
        let program: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        assert_eq!(of_program(&program).unwrap(), of_program(&program).unwrap());
        assert_ne!(
            of_program(&program).unwrap(),
            of_program(&program[1..]).unwrap()
        );
    }
}
