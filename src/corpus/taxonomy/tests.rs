use super::*;

fn canonical(raw: &str) -> Option<&'static str> {
    match resolve(raw) {
        Resolution::Label(label) => Some(label.name()),
        _ => None,
    }
}

#[test]
fn the_table_is_sorted_and_has_arxivs_numbers() {
    assert!(TABLE.is_sorted_by(|a, b| a.id < b.id));
    assert_eq!(categories().filter(|row| row.active()).count(), 155);
    assert_eq!(LABELS, 149);
    assert_eq!(
        categories()
            .filter(|row| matches!(row.status, Status::Subsumed(_)))
            .count(),
        18
    );
}

#[test]
fn every_name_resolves_and_only_bare_archives_to_no_label() {
    for row in categories() {
        match row.status {
            Status::Active => assert_eq!(canonical(row.id), Some(row.id)),
            Status::Alias(name) | Status::Subsumed(name) => {
                assert_eq!(canonical(row.id), Some(name), "{}", row.id);
                assert!(aliases_of(name).contains(&row.id));
            }
            Status::Legacy => {
                assert_eq!(resolve(row.id), Resolution::Legacy);
                assert!(!row.id.contains('.'));
            }
        }
        assert_eq!(find(row.id), Some(row));
        assert!(!row.name.is_empty() && !row.group.is_empty());
        assert_eq!(row.id.split('.').next(), Some(row.archive));
    }
}

#[test]
fn label_ids_count_up_in_byte_order() {
    let names: Vec<_> = labels().map(Label::name).collect();
    assert!(names.is_sorted());
    for (id, label) in labels().enumerate() {
        assert_eq!(label.index(), id);
        assert_eq!(resolve(label.name()), Resolution::Label(label));
    }
    assert_eq!(Label::new(LABELS as u8), None);
}

#[test]
fn alias_pairs_are_one_label_under_the_designs_name() {
    for (kept, other) in [
        ("cs.IT", "math.IT"),
        ("math-ph", "math.MP"),
        ("math.NA", "cs.NA"),
        ("cs.SY", "eess.SY"),
        ("math.ST", "stat.TH"),
        ("econ.GN", "q-fin.EC"),
    ] {
        assert_eq!(canonical(other), Some(kept));
        assert_eq!(canonical(kept), Some(kept));
        assert_eq!(
            find(kept).and_then(Category::label).and_then(Label::alias),
            Some(other)
        );
    }
}

#[test]
fn near_misses_are_unknown() {
    for raw in [
        "",
        "cs.lg",
        "CS.LG",
        " cs.LG",
        "cs.LG ",
        "cs.XX",
        "cs.",
        "test",
        &"x".repeat(90),
    ] {
        assert_eq!(resolve(raw), Resolution::Unknown, "{raw:?}");
    }
}
