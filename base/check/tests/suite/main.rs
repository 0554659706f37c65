//! Checkers against plain enumeration and the verifier.

mod random;

#[test]
fn on_random_histories_of_every_model_all_answers_agree() {
    for (name, campaign) in random::CAMPAIGNS {
        let tally = campaign(name, 0..1500, 7);
        assert!(tally.right > 200 && tally.wrong > 200, "{name}: {tally:?}");
        assert!(tally.sequential > tally.right, "{name}: {tally:?}");
    }
}
