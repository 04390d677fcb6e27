use super::*;
use crate::corpus::split::Split;
use crate::observe::Silent;

const LABELS: [&str; 3] = ["cs.CL", "cs.LG", "math.AG"];

fn table(categories: &[&[&str]]) -> Papers {
    let papers = categories.len();
    let names = |list: &&[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    Papers {
        ids: (0..papers).map(|at| format!("2301.{at:05}")).collect(),
        titles: (0..papers).map(|at| format!("Paper {at}")).collect(),
        abstracts: vec![String::new(); papers],
        categories: categories.iter().map(names).collect(),
        primaries: categories
            .iter()
            .map(|list| list.first().map(|name| (*name).to_owned()))
            .collect(),
        archives: vec![None; papers],
        submitted: vec![19_358; papers],
        splits: vec![Split::Test; papers],
    }
}

/// The insight into papers with these categories and probabilities.
fn run(categories: &[&[&str]], probabilities: &[f32]) -> Insight {
    let table = table(categories);
    let labels = LABELS.map(str::to_owned);
    let place = |name: &str| LABELS.iter().position(|label| *label == name);
    let truth: Vec<u8> = categories
        .iter()
        .flat_map(|list| LABELS.map(|label| u8::from(list.contains(&label))))
        .collect();
    let primary: Vec<i32> = categories
        .iter()
        .map(|list| {
            list.first()
                .and_then(|name| place(name))
                .map_or(-1, |at| at as i32)
        })
        .collect();
    let scored = Scored::probabilities(probabilities, &truth, 3).unwrap();
    let rows: Vec<usize> = (0..categories.len()).collect();
    let model = (labels.as_slice(), [0.5; 3].as_slice());
    insight(&table, &rows, &scored, &primary, model, &Silent).unwrap()
}

fn ids(papers: &[Paper]) -> Vec<&str> {
    papers.iter().map(|paper| paper.id.as_str()).collect()
}

#[test]
fn papers_stand_in_the_list_they_belong_to() {
    let found = run(
        &[
            &["cs.CL"],             // right
            &["math.AG"],           // surely cs.LG: mislabelled
            &["cs.CL"],             // cs.LG too, for certain: forgotten
            &["math.AG"],           // cs.LG likely, its own not unlikely: neither
            &["q-fin.TR", "cs.CL"], // a category without a label: cannot be judged
        ],
        &[
            0.9, 0.1, 0.0, //
            0.0, 0.8, 0.02, //
            0.7, 0.95, 0.0, //
            0.0, 0.8, 0.3, //
            0.01, 0.9, 0.0,
        ],
    );
    let papers = &found.papers;
    assert_eq!(ids(&papers.mislabelled), ["2301.00001"]);
    assert_eq!(ids(&papers.forgotten), ["2301.00002"]);
    assert_eq!((papers.mislabelled_papers, papers.forgotten_papers), (1, 1));
    assert_eq!(ids(&papers.mistakes)[..2], ["2301.00004", "2301.00001"]);
    assert_eq!(papers.mistakes.len(), 5);
    let unjudged = &papers.mistakes[0];
    assert_eq!(unjudged.categories[0].probability, None);
    assert_eq!(unjudged.categories[1].probability, Some(0.01));
    assert_eq!(unjudged.best[0].category, "cs.LG");
    assert_eq!(unjudged.submitted, "2023-01-01");
}

#[test]
fn categories_and_archives_taken_for_others() {
    let found = run(
        &[&["cs.CL"], &["cs.CL", "cs.LG"], &["math.AG"], &["math.AG"]],
        &[
            0.9, 0.1, 0.0, //
            0.1, 0.9, 0.0, //
            0.0, 0.8, 0.1, //
            0.0, 0.1, 0.8,
        ],
    );
    let confusion = found.confusion;
    assert_eq!(confusion.categories.names, ["cs.CL", "math.AG"]);
    assert_eq!(confusion.categories.papers, [[1, 0], [0, 1]]);
    assert_eq!(confusion.categories.totals, [2, 2]);
    assert_eq!(confusion.archives.names, ["cs", "math"]);
    assert_eq!(confusion.archives.papers, [[2, 0], [1, 1]]);
    let pair = &confusion.pairs[0];
    assert_eq!(
        (pair.primary.as_str(), pair.best.as_str()),
        ("cs.CL", "cs.LG")
    );
    assert_eq!((pair.papers, pair.theirs, pair.share), (1, 1, 0.5));
}

#[test]
fn curves_are_of_labels_with_papers() {
    let found = run(&[&["cs.CL"], &["cs.LG"]], &[0.9, 0.2, 0.1, 0.3, 0.8, 0.1]);
    let names: Vec<_> = found.precision_recall_labels.keys().collect();
    assert_eq!(names, ["cs.CL", "cs.LG"]);
    assert_eq!(
        found
            .reliability_best
            .iter()
            .map(|step| step.count)
            .sum::<u64>(),
        2
    );
    assert_eq!(
        found.reliability.iter().map(|step| step.count).sum::<u64>(),
        6
    );
}
