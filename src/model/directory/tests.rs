use super::*;
use crate::model::manifest::sha256_bytes;
use crate::model::spec::{Calibration, EncoderSpec, FORMAT_VERSION, HeadSpec};

/// A specification over `labels` whose encoder is a named one.
pub(crate) fn spec(labels: &[&str]) -> Spec {
    Spec {
        format_version: FORMAT_VERSION,
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        label_space_version: crate::corpus::taxonomy::LABEL_SPACE_VERSION,
        head: HeadSpec::Linear {},
        pooling: "mean+normalize".into(),
        template_version: crate::text::TEMPLATE_VERSION,
        max_length: 64,
        calibration: Calibration::identity(labels.len()),
        thresholds: vec![0.5; labels.len()],
        encoder: EncoderSpec {
            source: "minilm".into(),
            name: "all-MiniLM-L6-v2".into(),
            sha256: sha256_bytes(b"weights"),
            tokenizer_sha256: None,
        },
    }
}

fn written(place: &Path, spec: &Spec) -> Result<Directory> {
    let draft = Draft::new(place.join("model"))?;
    draft.write(HEAD, b"head")?;
    if spec.encoder.is_local() {
        for (name, bytes) in
            ENCODER_FILES
                .iter()
                .zip([b"config" as &[u8], b"weights", b"tokenizer"])
        {
            draft.write(name, bytes)?;
        }
    }
    draft.finish(spec, Some(&sha256_bytes(b"data")))
}

/// The one error of opening a good directory after `change`.
fn refusal(change: impl FnOnce(&Path)) -> String {
    let place = tempfile::tempdir().unwrap();
    let directory = written(place.path(), &spec(&["cs.AI", "cs.LG"])).unwrap();
    change(directory.path());
    let error = Directory::open(directory.path()).unwrap_err();
    assert!(matches!(error, Error::Model { .. }), "{error}");
    error.to_string()
}

/// Rewrites `classifier.json` through `change`, and the manifest with it.
fn respec(change: impl FnOnce(&mut serde_json::Value)) -> String {
    refusal(|path| {
        let mut value: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path.join(CLASSIFIER)).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(path.join(CLASSIFIER), serde_json::to_vec(&value).unwrap()).unwrap();
        remanifest(path);
    })
}

fn remanifest(path: &Path) {
    let manifest = Manifest::of(path, None).unwrap();
    std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
}

#[test]
fn what_is_written_is_what_is_opened() {
    let place = tempfile::tempdir().unwrap();
    let spec = spec(&["cs.AI", "cs.LG"]);
    let directory = written(place.path(), &spec).unwrap();
    let again = Directory::open(directory.path()).unwrap();
    assert_eq!(again.spec(), &spec);
    assert_eq!(
        again.manifest().data_manifest.as_deref(),
        Some(sha256_bytes(b"data").as_str())
    );
    assert_eq!(again.manifest().files[HEAD], sha256_bytes(b"head"));
    assert!(again.file("features.safetensors").is_err());
    let left: Vec<_> = std::fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, ["model"]);
}

#[test]
fn a_model_is_replaced_by_the_next_and_by_nothing_unfinished() {
    let place = tempfile::tempdir().unwrap();
    written(place.path(), &spec(&["cs.AI"])).unwrap();
    written(place.path(), &spec(&["cs.AI", "cs.LG"])).unwrap();
    drop(Draft::new(place.path().join("model")).unwrap());
    let mut bad = spec(&["cs.CV"]);
    bad.thresholds.clear();
    written(place.path(), &bad).unwrap_err();
    assert_eq!(
        Directory::open(place.path().join("model"))
            .unwrap()
            .spec()
            .labels
            .len(),
        2
    );
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_a_model_is_not_replaced() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("thesis.tex"), "years of work").unwrap();
    let error = Draft::new(place.path()).unwrap_err().to_string();
    assert!(error.contains("left alone"), "{error}");
}

#[test]
fn a_manifest_of_something_else_makes_no_model() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join(MANIFEST), "{\"papers\": 3}").unwrap();
    std::fs::write(place.path().join("papers.parquet"), "hours of work").unwrap();
    let error = Draft::new(place.path()).unwrap_err().to_string();
    assert!(error.contains("left alone"), "{error}");
}

#[test]
fn a_model_with_a_file_of_its_owner_beside_it_is_not_replaced() {
    let place = tempfile::tempdir().unwrap();
    let model = written(place.path(), &spec(&["cs.AI"])).unwrap();
    std::fs::write(model.path().join("notes.md"), "thoughts").unwrap();
    let error = Draft::new(model.path()).unwrap_err().to_string();
    assert!(error.contains("notes.md"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_to_a_model_stays_one() {
    let place = tempfile::tempdir().unwrap();
    let real = tempfile::tempdir().unwrap();
    written(real.path(), &spec(&["cs.AI"])).unwrap();
    let link = place.path().join("model");
    std::os::unix::fs::symlink(real.path().join("model"), &link).unwrap();
    written(place.path(), &spec(&["cs.AI", "cs.LG"])).unwrap();
    assert!(link.is_symlink());
    let labels = |path: &Path| Directory::open(path).unwrap().spec().labels.len();
    assert_eq!((labels(&link), labels(&real.path().join("model"))), (2, 2));
}

#[test]
fn a_file_name_cannot_leave_the_directory() {
    let place = tempfile::tempdir().unwrap();
    let draft = Draft::new(place.path().join("model")).unwrap();
    for name in ["../x", "/x", "a/../../x", ""] {
        assert!(draft.write(name, b"").is_err(), "{name:?}");
    }
    draft.write("1_Pooling/config.json", b"{}").unwrap();
}

#[test]
fn a_changed_file_is_named() {
    let message = refusal(|path| std::fs::write(path.join(HEAD), b"other").unwrap());
    assert!(
        message.contains(HEAD) && message.contains("not what manifest.json lists"),
        "{message}"
    );
}

#[test]
fn a_missing_file_is_named() {
    for name in [HEAD, CLASSIFIER, MANIFEST] {
        let message = refusal(|path| std::fs::remove_file(path.join(name)).unwrap());
        assert!(
            message.contains(name) && message.contains("missing"),
            "{message}"
        );
    }
}

#[test]
fn a_listed_file_outside_is_refused() {
    let message = refusal(|path| {
        let mut manifest = Manifest::of(path, None).unwrap();
        manifest
            .files
            .insert("../../secret".into(), sha256_bytes(b""));
        std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
    });
    assert!(message.contains("not a relative path"), "{message}");
}

#[test]
fn a_file_that_no_manifest_lists_is_not_trusted() {
    let message = refusal(|path| {
        let mut manifest = Manifest::of(path, None).unwrap();
        manifest.files.remove(HEAD);
        std::fs::write(path.join(MANIFEST), serde_json::to_vec(&manifest).unwrap()).unwrap();
    });
    assert!(message.contains("does not list"), "{message}");
}

#[test]
fn a_damaged_manifest_is_named() {
    let message = refusal(|path| std::fs::write(path.join(MANIFEST), b"{").unwrap());
    assert!(message.contains(MANIFEST), "{message}");
}

#[test]
fn label_lists_must_fit() {
    let long = respec(|spec| spec["labels"].as_array_mut().unwrap().push("cs.CV".into()));
    assert!(long.contains("thresholds: 2 for 3 labels"), "{long}");
    let short = respec(|spec| drop(spec["labels"].as_array_mut().unwrap().pop()));
    assert!(short.contains("thresholds: 2 for 1 labels"), "{short}");
    let twice = respec(|spec| spec["labels"][1] = "cs.AI".into());
    assert!(
        twice.contains("cs.AI") && twice.contains("twice"),
        "{twice}"
    );
    let none = respec(|spec| spec["labels"] = serde_json::json!([]));
    assert!(none.contains("labels: the list is empty"), "{none}");
}

#[test]
fn labels_and_texts_are_of_the_versions_that_this_crate_speaks() {
    let alias = respec(|spec| spec["labels"][1] = "math.IT".into());
    assert!(
        alias.contains("math.IT") && alias.contains("cs.IT"),
        "{alias}"
    );
    let unknown = respec(|spec| spec["labels"][1] = "cs.XX".into());
    assert!(unknown.contains("cs.XX"), "{unknown}");
    let space = respec(|spec| spec["label_space_version"] = 99.into());
    assert!(space.contains("label_space_version 99"), "{space}");
    let template = respec(|spec| spec["template_version"] = 99.into());
    assert!(template.contains("template_version 99"), "{template}");
}

#[test]
fn numbers_must_be_usable() {
    let threshold = respec(|spec| spec["thresholds"][1] = 1.5.into());
    assert!(threshold.contains("1.5 for cs.LG"), "{threshold}");
    let calibration = respec(|spec| {
        spec["calibration"] = serde_json::json!({"scale": [1.0], "bias": [0.0, 0.0]});
    });
    assert!(
        calibration.contains("calibration.scale: 1 for 2 labels"),
        "{calibration}"
    );
    let length = respec(|spec| spec["max_length"] = 0.into());
    assert!(length.contains("max_length"), "{length}");
    let hash = respec(|spec| spec["encoder"]["sha256"] = "abc".into());
    assert!(hash.contains("encoder.sha256"), "{hash}");
}

#[test]
fn another_format_or_an_unknown_key_is_named() {
    let version = respec(|spec| {
        spec["format_version"] = 99.into();
        spec["novelty"] = 1.into();
    });
    assert!(version.contains("format_version 99"), "{version}");
    let key = respec(|spec| spec["novelty"] = 1.into());
    assert!(key.contains("novelty"), "{key}");
    let head = respec(|spec| spec["head"]["kind"] = "oracle".into());
    assert!(head.contains("oracle"), "{head}");
    let missing = respec(|spec| drop(spec.as_object_mut().unwrap().remove("pooling")));
    assert!(missing.contains("pooling"), "{missing}");
}

#[test]
fn a_local_encoder_is_whole_and_the_one_named() {
    let place = tempfile::tempdir().unwrap();
    let mut local = spec(&["cs.AI"]);
    local.encoder.source = EncoderSpec::LOCAL.into();
    let directory = written(place.path(), &local).unwrap();
    for name in ENCODER_FILES {
        let kept = std::fs::read(directory.path().join(name)).unwrap();
        std::fs::remove_file(directory.path().join(name)).unwrap();
        remanifest(directory.path());
        let error = Directory::open(directory.path()).unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        std::fs::write(directory.path().join(name), kept).unwrap();
    }
    std::fs::write(directory.path().join(ENCODER), b"others").unwrap();
    remanifest(directory.path());
    let error = Directory::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("encoder.sha256"), "{error}");
}
