//! Checkers against plain enumeration and the verifier.

mod files;
mod monitors;
mod mutants;
mod random;

#[test]
fn on_random_histories_of_every_model_all_answers_agree() {
    let (mut right, mut sequential) = (0, 0);
    for (name, campaign) in random::CAMPAIGNS {
        let tally = campaign(name, 0..400, 7);
        assert!(tally.right > 50 && tally.wrong > 50, "{name}: {tally:?}");
        (right, sequential) = (right + tally.right, sequential + tally.sequential);
    }
    assert!(sequential > right + 20, "{sequential} of {right}");
}
