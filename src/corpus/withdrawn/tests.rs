use super::*;

fn assert_all(place: Place, withdrawn: bool, texts: &[&str]) {
    for text in texts {
        assert_eq!(says_so(text, place), withdrawn, "{place:?}: {text}");
        assert!(!withdrawn || mentioned(text), "{text}");
    }
}

#[test]
fn withdrawn_papers_are_told_in_either_place() {
    for place in [Place::Comments, Place::Abstract] {
        assert_all(
            place,
            true,
            &[
                "This paper has been withdrawn by the author because of a wrong sign",
                "This submission was withdrawn.",
                "This article was withdrawn from arXiv by its authors",
                "Our article is hereby withdrawn",
                "The manuscript has been withdrawn; see the joint one",
                "The present preprint is withdrawn",
                "THIS ARTICLE HAS BEEN WITHDRAWN",
                "Withdrawn by arXiv administrators: a copy of other people's text",
                "Withdrawn",
                "paper withdrawn because a lemma is wrong",
                "PAPER WITHDRAWN BY AUTHORS",
                "Two cases were overlooked. This paper is therefore being withdrawn. We are sorry.",
                "We count circles. Withdrawn due to\n  a gap in the count.",
                "The results are part of a longer text. We would like to withdraw this version.",
                "We decided to withdraw our manuscript",
                "There is an error. (This work has been withdrawn.)",
                "It contains an error. It has been withdrawn by the authors.",
                "The paper is withdraw due to many misprints",
            ],
        );
    }
}

#[test]
fn comments_may_say_it_in_passing() {
    let texts = [
        "7 pages, 2 figures, withdrawn because a step is missing",
        "4 pages; withdrawn",
        "v2: withdrawn.",
        "please let me withdraw it",
        "As a result, I wish to withdraw the paper",
        "Since Theorem 2 is wrong, the paper is withdrawn",
        "A mistake was found and it has been withdrawn",
    ];
    assert_all(Place::Comments, true, &texts);
    assert_all(Place::Abstract, false, &texts);
}

#[test]
fn sentences_are_read_apart() {
    for place in [Place::Comments, Place::Abstract] {
        assert_all(
            place,
            false,
            &[
                "A player decides to enter or to withdraw. This paper gives a model of it.",
                "They stay or withdraw; the paper explains why",
                "Bidders withdraw, our work shows.",
                "We study this paper. Was withdrawn money returned?",
            ],
        );
    }
}

#[test]
fn other_things_that_are_withdrawn_are_left_alone() {
    for place in [Place::Comments, Place::Abstract] {
        assert_all(
            place,
            false,
            &[
                "This paper was withdrawn from the proceedings of a workshop",
                "Accepted (withdrawn before presentation for lack of funds)",
                "savings with a guaranteed withdrawal",
                "Toys are often recalled, withdrawn, or banned.",
                "ten drugs were withdrawn for their side effects",
                "One talk was withdrawn by its authors",
                "workers withdrawn by force return",
                "The licence was withdrawn by the author of the library",
                "See also arXiv:0000.00000 (now withdrawn)",
                "An earlier version of this paper was withdrawn",
                "We classify papers withdrawn from arXiv",
                "This paper has not been withdrawn",
                "agents withdraw the tokens",
            ],
        );
    }
    assert_all(
        Place::Abstract,
        false,
        &[
            "Approved in 1990, the drug did harm, so it was withdrawn in 1995.",
            "Items that are defective, withdrawn, or lost are counted.",
            "After criticism the paper was withdrawn and its authors wrote another.",
            "Users deposit a coin and withdraw it later.",
            "A note is spent once a user can withdraw this note.",
        ],
    );
    assert!(!mentioned("We draw with it."));
}
