use super::*;
use crate::observe::Silent;

const SCORES: [f32; 6] = [0.9, 0.6, 0.1, 0.2, 0.7, 0.8];
const TRUTH: [u8; 6] = [1, 0, 0, 1, 1, 0];

fn options() -> Options {
    Options {
        min_positives: 1,
        bootstrap: Bootstrap {
            samples: 20,
            ..Bootstrap::default()
        },
        slices: vec![Slice {
            name: "year".into(),
            groups: vec!["2015".into(), "2016".into(), "2017".into()],
            of: vec![0, 1],
        }],
        expanded: vec![0, 1, 1, 2],
        ..Options::default()
    }
}

#[test]
fn slices_hold_their_papers_alone() -> Result<()> {
    let scored = Scored::probabilities(&SCORES, &TRUTH, 3)?;
    let report = report(&scored, &[0.5; 3], None, &options(), &Silent)?;
    let year = &report.slices["year"];
    assert_eq!(year.keys().collect::<Vec<_>>(), ["2015", "2016"]);
    assert_eq!(year["2015"].precision_at_1, 1.0);
    assert_eq!(year["2016"].precision_at_1, 0.0);
    Ok(())
}

#[test]
fn an_alias_pair_counts_twice_when_expanded() -> Result<()> {
    let scored = Scored::probabilities(&SCORES, &TRUTH, 3)?;
    let wide = expanded(&scored, &[0.5; 3], &[0, 1, 1, 2], 1)?;
    assert_eq!(wide.micro_f1, 2.0 * 3.0 / (6.0 + 4.0));
    Ok(())
}

#[test]
fn one_flat_json_object() -> Result<()> {
    let scored = Scored::probabilities(&SCORES, &TRUTH, 3)?;
    let report = report(&scored, &[0.5; 3], Some(&[0, -1]), &options(), &Silent)?;
    let json = serde_json::to_value(&report).map_err(|error| Error::input("report", error))?;
    assert_eq!(json["primary_at_1"], 1.0);
    assert!(json["intervals"]["micro_f1"][1].is_number() && json["ece"].is_number());
    assert_eq!(
        json["per_label"][2]["average_precision"],
        serde_json::Value::Null
    );
    Ok(())
}

#[test]
fn a_slice_of_another_length_is_named() -> Result<()> {
    let scored = Scored::probabilities(&SCORES, &TRUTH, 3)?;
    let mut options = options();
    options.slices[0].of.pop();
    let error = report(&scored, &[0.5; 3], None, &options, &Silent).unwrap_err();
    assert_eq!(error.to_string(), "slice year: expected shape [2], got [1]");
    Ok(())
}
