//! `vocab.txt` → `tokenizer.json`, as transformers' `BertTokenizer` builds its fast tokenizer
//! (<https://github.com/huggingface/transformers/blob/main/src/transformers/models/bert/tokenization_bert.py>).

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::path::Path;
use tokenizers::models::wordpiece::WordPiece;
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, decoders};

const VOCABULARY: &str = "vocab.txt";
const CONFIG: &str = "tokenizer_config.json";
const SPECIAL: &str = "special_tokens_map.json";

/// Special tokens by their keys, with what they are unless the directory says otherwise.
const TOKENS: [(&str, &str); 5] = [
    ("pad_token", "[PAD]"),
    ("unk_token", "[UNK]"),
    ("cls_token", "[CLS]"),
    ("sep_token", "[SEP]"),
    ("mask_token", "[MASK]"),
];

/// Tokenizers that read `vocab.txt` in this way; others of that file split words differently first.
const CLASSES: [&str; 4] = [
    "BertTokenizer",
    "BertTokenizerFast",
    "DistilBertTokenizer",
    "DistilBertTokenizerFast",
];

/// The text of `tokenizer.json` for the word pieces of `vocab.txt` in `directory`, with the options
/// of `tokenizer_config.json` and the tokens of `special_tokens_map.json` where these are.
///
/// # Errors
/// [`Error::Io`]; [`Error::Model`] naming the file and the key or token that is not what a
/// `BertTokenizer` has.
pub fn tokenizer_json(directory: &Path) -> Result<String> {
    let config = object(&directory.join(CONFIG))?;
    let special = object(&directory.join(SPECIAL))?;
    check(&directory.join(CONFIG), &config)?;
    let added = directory.join("added_tokens.json");
    if added.exists() {
        return Err(Error::model(
            added,
            "tokens beside vocab.txt; give the model a tokenizer.json",
        ));
    }

    let path = directory.join(VOCABULARY);
    let bytes = std::fs::read(&path).map_err(|source| Error::io(&path, source))?;
    let wrong = |error: tokenizers::Error| Error::model(&path, error);
    let vocabulary = WordPiece::read_bytes(&bytes).map_err(wrong)?;
    let [pad, unk, cls, sep, mask] = TOKENS.map(|(key, default)| {
        let given = special.get(key).or_else(|| config.get(key));
        let content = given.and_then(|one| one.get("content").unwrap_or(one).as_str());
        content.unwrap_or(default).to_owned()
    });
    let mut ids = Vec::new();
    for token in [&pad, &unk, &cls, &sep, &mask] {
        let id = vocabulary.get(token.as_str());
        ids.push(*id.ok_or_else(|| Error::model(&path, format!("token {token}: missing")))?);
    }

    let lowercase = flag(directory, &config, "do_lower_case")?.unwrap_or(true);
    let handle_chinese = flag(directory, &config, "tokenize_chinese_chars")?.unwrap_or(true);
    let strip_accents = flag(directory, &config, "strip_accents")?;
    let model = WordPiece::builder()
        .vocab(vocabulary)
        .unk_token(unk.clone())
        .build()
        .map_err(wrong)?;
    let processor = TemplateProcessing::builder()
        .try_single(format!("{cls}:0 $A:0 {sep}:0").as_str())
        .and_then(|builder| builder.try_pair(format!("{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1").as_str()))
        .map_err(|error| Error::model(&path, error))?
        .special_tokens(vec![(cls.clone(), ids[2]), (sep.clone(), ids[3])])
        .build()
        .map_err(|error| Error::model(&path, error))?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    tokenizer
        .with_normalizer(Some(BertNormalizer::new(
            true,
            handle_chinese,
            strip_accents,
            lowercase,
        )))
        .map_err(wrong)?;
    tokenizer
        .with_pre_tokenizer(Some(BertPreTokenizer))
        .with_post_processor(Some(processor))
        .with_decoder(Some(decoders::wordpiece::WordPiece::default()));
    tokenizer
        .add_special_tokens([pad, unk, cls, sep, mask].map(|token| AddedToken::from(token, true)))
        .map_err(wrong)?;
    tokenizer.to_string(true).map_err(wrong)
}

/// Refuses what would make other tokens than the plain vocabulary does.
fn check(path: &Path, config: &Map<String, Value>) -> Result<()> {
    if let Some(class) = config.get("tokenizer_class").and_then(Value::as_str)
        && !CLASSES.contains(&class)
    {
        let known = CLASSES.join(", ");
        return Err(Error::model(
            path,
            format!("tokenizer_class: {class:?} is not one of {known}"),
        ));
    }
    if config.get("do_basic_tokenize") == Some(&Value::Bool(false)) {
        return Err(Error::model(
            path,
            "do_basic_tokenize: false is not computed here",
        ));
    }
    let lists = [
        "additional_special_tokens",
        "extra_special_tokens",
        "never_split",
    ];
    for key in lists {
        let empty = match config.get(key) {
            None | Some(Value::Null) => true,
            Some(Value::Array(list)) => list.is_empty(),
            Some(Value::Object(map)) => map.is_empty(),
            Some(_) => false,
        };
        if !empty {
            return Err(Error::model(
                path,
                format!("{key}: not read beside vocab.txt; give the model a tokenizer.json"),
            ));
        }
    }
    Ok(())
}

fn flag(directory: &Path, config: &Map<String, Value>, key: &str) -> Result<Option<bool>> {
    match config.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => Err(Error::model(
            directory.join(CONFIG),
            format!("{key}: {other} is not true or false"),
        )),
    }
}

/// The object in the JSON file at `path`, empty where there is none.
fn object(path: &Path) -> Result<Map<String, Value>> {
    if !path.exists() {
        return Ok(Map::new());
    }
    let bytes = std::fs::read(path).map_err(|source| Error::io(path, source))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::model(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nproof\n##s\n";

    fn made(files: &[(&str, &str)]) -> Result<String> {
        let place = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(place.path().join(name), text).unwrap();
        }
        tokenizer_json(place.path())
    }

    fn ids(json: &str, text: &str) -> Vec<u32> {
        let tokenizer = tokenizers::Tokenizer::from_bytes(json).unwrap();
        tokenizer.encode(text, true).unwrap().get_ids().to_vec()
    }

    #[test]
    fn lines_are_ids_and_case_is_folded_unless_told_otherwise() {
        let folded = made(&[(VOCABULARY, WORDS)]).unwrap();
        assert_eq!(ids(&folded, "A proofs"), [2, 5, 6, 7, 3]);
        let cased = made(&[(VOCABULARY, WORDS), (CONFIG, r#"{"do_lower_case": false}"#)]).unwrap();
        assert_eq!(ids(&cased, "A proofs"), [2, 1, 6, 7, 3]);
    }

    #[test]
    fn what_makes_other_tokens_is_refused_by_name() {
        for (config, said) in [
            (
                r#"{"tokenizer_class": "BertJapaneseTokenizer"}"#,
                "BertJapaneseTokenizer",
            ),
            (r#"{"do_basic_tokenize": false}"#, "do_basic_tokenize"),
            (
                r#"{"additional_special_tokens": ["[X]"]}"#,
                "additional_special_tokens",
            ),
            (r#"{"do_lower_case": "yes"}"#, "do_lower_case"),
        ] {
            let error = made(&[(VOCABULARY, WORDS), (CONFIG, config)]).unwrap_err();
            let error = error.to_string();
            assert!(error.contains(CONFIG) && error.contains(said), "{error}");
        }
        let error = made(&[(VOCABULARY, "[PAD]\na\n")]).unwrap_err().to_string();
        assert!(error.contains("vocab.txt: token [UNK]: missing"), "{error}");
    }
}
