//! Checkers against plain enumeration and the verifier.

mod files;
mod random;

#[test]
fn on_random_histories_of_every_model_all_answers_agree() {
    for (name, campaign) in random::CAMPAIGNS {
        let tally = campaign(name, 0..400, 7);
        assert!(tally.right > 50 && tally.wrong > 50, "{name}: {tally:?}");
        assert!(tally.sequential > tally.right, "{name}: {tally:?}");
    }
}
