use super::*;

#[test]
fn labels_with_an_alias_are_there_twice_in_the_raw_space() {
    let labels = ["cs.IT", "cs.LG", "math-ph"].map(str::to_owned);
    assert_eq!(expanded(&labels), [0, 1, 2, 0, 2]);
}

#[test]
fn papers_fall_into_every_slice() {
    let table = Papers {
        ids: vec!["1".into(), "2".into()],
        titles: vec![String::new(); 2],
        abstracts: vec!["one two three".into(), "word ".repeat(200)],
        categories: vec![vec!["cs.LG".into()], vec!["cs.LG".into(), "math.AG".into()]],
        primaries: vec![Some("cs.LG".into()); 2],
        archives: vec![Some("cs".into()), None],
        submitted: vec![16_801, 20_000],
        splits: vec![Split::Train, Split::Test],
    };
    let slices = slices(&table, &[0, 1]);
    let group = |name: &str, paper: usize| {
        let slice = slices.iter().find(|slice| slice.name == name).unwrap();
        usize::try_from(slice.of[paper])
            .ok()
            .map(|at| slice.groups[at].clone())
    };
    assert_eq!(group("year", 0).unwrap(), "2016");
    assert_eq!(group("archive", 1), None);
    assert_eq!(group("length", 0).unwrap(), "1: below 75 words");
    assert_eq!(group("length", 1).unwrap(), "3: 150 to 224 words");
    assert!(group("rarity", 1).unwrap().starts_with("1: below 250"));
    assert_eq!(group("archives", 0).unwrap(), "one");
    assert_eq!(group("archives", 1).unwrap(), "several");
}
