use super::*;
use crate::checksum;
use crate::observe::Silent;
use std::io::Write;

const TEXT: &[u8] = b"{\"id\":\"0704.0001\"}\n{\"id\":\"0704.0002\"}";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(text).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// zstd with a window of 2^`log` bytes.
fn windowed(log: u32) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(log).unwrap();
    encoder.write_all(TEXT).unwrap();
    encoder.finish().unwrap()
}

fn read(bytes: &[u8]) -> Result<(Vec<u8>, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.bin");
    std::fs::write(&path, bytes).unwrap();
    let source = Source::open(&path, &Silent)?;
    let format = source.format();
    source.read(
        &Meter::default(),
        || false,
        |reader| {
            let mut text = Vec::new();
            reader
                .read_to_end(&mut text)
                .map_err(|error| Source::explain(&path, format, error))?;
            Ok(text)
        },
    )
}

#[test]
fn every_packing_gives_the_same_text_and_its_own_hash() {
    let twice = [gzip(&TEXT[..20]), gzip(&TEXT[20..])].concat();
    let wide = windowed(WINDOW_LOG);
    let mac: &[(&str, &[u8])] = &[
        ("__MACOSX/a.json", b"x"),
        ("a.json", TEXT),
        ("readme", b"x"),
    ];
    for packed in [
        TEXT.to_vec(),
        gzip(TEXT),
        twice,
        wide,
        zipped(&[("a", TEXT)]),
        zipped(mac),
    ] {
        let (text, hash) = read(&packed).unwrap();
        assert_eq!(text, TEXT);
        assert_eq!(hash, checksum::read(&packed[..]).unwrap());
    }
}

#[test]
fn truncated_and_damaged_packings_say_so() {
    let long: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
    let zst = zstd::encode_all(&long[..], 1).unwrap();
    for packed in [gzip(&long), zst.clone()] {
        let error = read(&packed[..packed.len() / 2]).unwrap_err();
        assert!(matches!(error, Error::Input { .. }), "{error}");
        assert!(error.to_string().contains("truncated"), "{error}");
    }
    let mut flipped = gzip(&long);
    let middle = flipped.len() / 2;
    flipped[middle..middle + 64].fill(0xff);
    let error = read(&flipped).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    let whole = zipped(&[("a.json", &long)]);
    let error = read(&whole[..whole.len() / 2]).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
}

#[test]
fn a_sound_file_with_too_wide_a_window_is_not_called_damaged() {
    let error = read(&windowed(WINDOW_LOG + 1)).unwrap_err();
    assert!(matches!(error, Error::Input { .. }), "{error}");
    let message = error.to_string();
    for part in ["snapshot.bin", "larger than the 128 MiB", "zstd --long=27"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(!message.contains("damaged"), "{message}");
    let mut flipped = zstd::encode_all(&[7; 1 << 16][..], 1).unwrap();
    // The first block's type, behind the magic and two bytes of header: 3 is reserved.
    flipped[6] |= 6;
    let message = read(&flipped).unwrap_err().to_string();
    assert!(message.contains("damaged"), "{message}");
}

#[test]
fn what_is_no_snapshot_is_refused_with_its_path() {
    for (bytes, message) in [
        (&b""[..], "is empty"),
        (b"PAR1....", "is Parquet"),
        (b"BZh91AY", "is bzip2"),
        (
            &[[0; 257].as_slice(), b"ustar\x0000", TEXT].concat(),
            "is tar",
        ),
        (
            &zipped(&[("a.json", TEXT), ("b.json", TEXT)]),
            "[a.json, b.json]",
        ),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(
            error.contains(message) && error.contains("snapshot.bin"),
            "{error}"
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let error = Source::open(folder.path(), &Silent)
        .unwrap_err()
        .to_string();
    assert!(error.contains("directory"), "{error}");
    let missing = Source::open(&folder.path().join("none"), &Silent).unwrap_err();
    assert!(matches!(missing, Error::Io { .. }), "{missing}");
}
