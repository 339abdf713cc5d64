//! Reading files of text that are meant to be small: a device has no end, and a file that was named by mistake may fill the memory.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

/// So large is a plan, a scenario or a file of defaults at most, in bytes.
pub const WRITTEN_BY_HAND_MAX: u64 = 16 << 20;

/// Reads a file of text that has at most so many bytes.
///
/// # Errors
/// If it cannot be read, is no text, or is larger, which is [`io::ErrorKind::InvalidData`].
pub fn read(path: &Path, bytes_max: u64) -> io::Result<String> {
    let mut text = Vec::new();
    // A device has no length that could be asked first.
    File::open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut text)?;
    let larger = || format!("it is larger than such a file may be, which is {} MiB", bytes_max >> 20);
    if text.len() as u64 > bytes_max {
        return Err(io::Error::new(io::ErrorKind::InvalidData, larger()));
    }
    String::from_utf8(text).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no valid UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "0123456789").expect("it can be written");
        assert_eq!(read(file.path(), 10).expect("it is no larger"), "0123456789");
        assert!(read(file.path(), 9).unwrap_err().to_string().contains("larger"));
        std::fs::write(file.path(), [0xff]).expect("it can be written");
        assert!(read(file.path(), 9).unwrap_err().to_string().contains("no valid UTF-8"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_device_without_an_end_is_refused() {
        let refused = read(Path::new("/dev/zero"), WRITTEN_BY_HAND_MAX).unwrap_err();
        assert_eq!(refused.to_string(), "it is larger than such a file may be, which is 16 MiB");
    }
}
