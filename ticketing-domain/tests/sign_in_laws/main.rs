//! Laws of signing in. They hold whatever ceremonies run at the same time, in whatever order their questions are
//! answered, and wherever a process dies between two questions.

mod acts;
mod answers;
mod running;
mod world;

use acts::{Act, act};
use proptest::prelude::*;
use ticketing_testkit::property::costing;
use world::World;

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 20_000, ..costing(5) })]

    #[test]
    fn every_secret_opens_once_and_nobody_gets_an_account_that_is_not_proven_to_be_theirs(
        acts in proptest::collection::vec(act(), 0..90)
    ) {
        let mut world = World::default();
        for act in acts {
            world.act(act);
            prop_assert!(world.broken.is_empty(), "{:?}", world.broken);
        }
        world.act(Act::Finish);
        prop_assert!(world.broken.is_empty(), "{:?}", world.broken);
    }
}

#[test]
fn the_runs_get_somewhere() {
    let mut world = World::default();
    let run = |world: &mut World, act| {
        world.act(act);
        world.act(Act::Finish);
    };
    run(&mut world, Act::AskForALink { address: 0 });
    run(&mut world, Act::FollowALink { link: 0 });
    assert_eq!((world.users.len(), world.sessions.len()), (2, 1));
    run(&mut world, Act::BeginAPasskey { session: 0 });
    run(
        &mut world,
        Act::FinishAPasskey {
            begun: 0,
            session: 0,
            credential: 1,
        },
    );
    run(&mut world, Act::BeginALogin);
    run(
        &mut world,
        Act::FinishALogin {
            begun: 0,
            credential: 1,
            handle: Some(0),
        },
    );
    assert_eq!(world.sessions.len(), 2, "the passkey signs in");
    run(&mut world, Act::GoToAProvider { session: Some(0) });
    let back = |api| Act::ComeBack {
        trip: 0,
        subject: 1,
        address: 2,
        vouched: false,
        api,
        other_browser: false,
    };
    run(&mut world, back(true));
    assert_eq!(world.identities.len(), 1, "the identity is linked from the session");
    run(&mut world, Act::GoToAProvider { session: None });
    run(&mut world, back(false));
    run(
        &mut world,
        Act::TradeACode {
            code: 0,
            other_browser: false,
        },
    );
    assert_eq!(world.sessions.len(), 3, "the linked identity signs in");
    run(&mut world, Act::GoToAProvider { session: None });
    run(
        &mut world,
        Act::ComeBack {
            trip: 0,
            subject: 2,
            address: 1,
            vouched: true,
            api: true,
            other_browser: false,
        },
    );
    assert_eq!(
        (world.users.len(), world.sessions.len()),
        (3, 4),
        "a vouched address makes an account"
    );
    assert!(world.broken.is_empty());
}

#[test]
fn an_authenticator_that_claims_another_account_signs_nobody_in() {
    let mut world = World::with_ada();
    world.all(Act::BeginAPasskey { session: 0 });
    world.all(Act::FinishAPasskey {
        begun: 0,
        session: 0,
        credential: 1,
    });
    for handle in [None, Some(1)] {
        world.all(Act::BeginALogin);
        let claim = Act::FinishALogin {
            begun: 0,
            credential: 1,
            handle,
        };
        world.all(claim);
        assert_eq!(world.sessions.len(), 1, "{handle:?}");
    }
}

#[test]
fn a_session_that_ended_meanwhile_links_nothing() {
    let mut world = World::with_ada();
    world.all(Act::GoToAProvider { session: Some(0) });
    world.all(Act::SignOut { user: 1 });
    world.all(Act::ComeBack {
        trip: 0,
        subject: 1,
        address: 0,
        vouched: false,
        api: true,
        other_browser: false,
    });
    assert_eq!(world.identities, []);
}

#[test]
fn a_challenge_for_one_users_passkey_makes_none_for_another() {
    let mut world = World::with_ada();
    world.all(Act::BeginAPasskey { session: 0 });
    world.all(Act::AskForALink { address: 1 });
    world.all(Act::FollowALink { link: 0 });
    world.all(Act::FinishAPasskey {
        begun: 0,
        session: 0,
        credential: 1,
    });
    assert_eq!(world.passkeys, []);
}

#[test]
fn a_code_and_an_answer_are_worth_nothing_in_another_browser() {
    let mut world = World::with_ada();
    let back = |other_browser| Act::ComeBack {
        trip: 0,
        subject: 1,
        address: 1,
        vouched: true,
        api: false,
        other_browser,
    };
    world.all(Act::GoToAProvider { session: None });
    world.all(back(true));
    assert_eq!((world.codes.len(), world.identities.len()), (0, 0));
    world.all(Act::GoToAProvider { session: None });
    world.all(back(false));
    world.all(Act::TradeACode {
        code: 0,
        other_browser: true,
    });
    assert_eq!((world.codes.len(), world.sessions.len()), (1, 1));
}
