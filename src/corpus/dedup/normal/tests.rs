use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Vec<u64> {
    let mut normal = Normal::default();
    normal.push(text);
    normal.words().to_vec()
}

fn words_of(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().flat_map(char::to_lowercase))
        .map(|word| word.filter(|c| c.is_alphanumeric()).collect())
        .collect()
}

#[test]
fn case_punctuation_and_blanks_do_not_count() {
    assert_eq!(
        read("a multi agent SYSTÈME"),
        read("A Multi-Agent, système!")
    );
    assert_eq!(read("").len(), 0);
    assert_eq!(read(" — ").len(), 0);
}

#[test]
fn texts_are_told_apart_by_their_words_and_their_order() {
    let texts = ["", "a", "a b", "b a", "a a b", "ab"].map(|text| {
        let mut normal = Normal::default();
        normal.push(text);
        normal.text()
    });
    for (at, text) in texts.iter().enumerate() {
        assert!(!texts[..at].contains(text), "{at}");
    }
}

#[test]
fn a_reused_buffer_reads_like_a_fresh_one() {
    let mut normal = Normal::default();
    normal.push("something much longer that was there before");
    normal.clear();
    normal.push("Two words");
    normal.push("then three more");
    assert_eq!(normal.words().len(), 5);
    assert_eq!(normal.words()[2..], read("then three more"));
}

proptest! {
    #[test]
    fn letters_are_found_alike_on_every_processor(bytes in prop::array::uniform32(any::<[u8; 2]>())) {
        let mut block = [0; BLOCK];
        block.copy_from_slice(bytes.as_flattened());
        let letter = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        let expected = block.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(letter(byte)));
        prop_assert_eq!(letters_of_any(&block), expected);
        let mut edges = [[0; BLOCK + BATCH]; 2];
        let found = [
            find_words(&block, &mut edges[0]),
            edges_of(&block, &mut edges[1], letters_of_any),
        ];
        prop_assert_eq!(&edges[0][..found[0]], &edges[1][..found[1]]);
    }

    #[test]
    fn words_are_cut_as_the_plain_definition_cuts_them(text in "[a-cA-C01 ,é—İǅ]{0,200}") {
        let hashes = read(&text);
        let expected = words_of(&text);
        prop_assert_eq!(hashes.len(), expected.len());
        for (word, hash) in expected.iter().zip(hashes) {
            prop_assert_eq!(read(word), vec![hash]);
        }
    }
}
