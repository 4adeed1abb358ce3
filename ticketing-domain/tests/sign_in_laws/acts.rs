//! What the people in a random run of ceremonies do.

use proptest::prelude::*;

/// What the people in a run do. A number picks one of the links, sessions, users and so on that exist at that moment.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    AskForALink {
        address: usize,
    },
    FollowALink {
        link: usize,
    },
    GoToAProvider {
        session: Option<usize>,
    },
    ComeBack {
        trip: usize,
        subject: u8,
        address: usize,
        vouched: bool,
        api: bool,
        other_browser: bool,
    },
    TradeACode {
        code: usize,
        other_browser: bool,
    },
    BeginAPasskey {
        session: usize,
    },
    FinishAPasskey {
        begun: usize,
        session: usize,
        credential: u8,
    },
    BeginALogin,
    FinishALogin {
        begun: usize,
        credential: u8,
        handle: Option<usize>,
    },
    /// The question of one ceremony is answered, so that the ceremony goes one step further.
    Answer {
        ceremony: usize,
    },
    /// Every ceremony under way runs to its end.
    Finish,
    SignOut {
        user: usize,
    },
    /// The process that runs the ceremony dies, so that the ceremony never goes on.
    Die {
        ceremony: usize,
    },
    Promote {
        user: usize,
    },
    Wait {
        minutes: i64,
    },
}

pub(crate) fn act() -> impl Strategy<Value = Act> {
    let pick = 0..8_usize;
    prop_oneof![
        2 => (0..3_usize).prop_map(|address| Act::AskForALink { address }),
        3 => pick.clone().prop_map(|link| Act::FollowALink { link }),
        2 => proptest::option::of(pick.clone()).prop_map(|session| Act::GoToAProvider { session }),
        3 => (pick.clone(), 0..3_u8, 0..3_usize, any::<bool>(), any::<bool>(), proptest::bool::weighted(0.1))
            .prop_map(|(trip, subject, address, vouched, api, other_browser)| {
                Act::ComeBack { trip, subject, address, vouched, api, other_browser }
            }),
        1 => (pick.clone(), proptest::bool::weighted(0.2))
            .prop_map(|(code, other_browser)| Act::TradeACode { code, other_browser }),
        1 => pick.clone().prop_map(|session| Act::BeginAPasskey { session }),
        2 => (pick.clone(), pick.clone(), 0..3_u8)
            .prop_map(|(begun, session, credential)| Act::FinishAPasskey { begun, session, credential }),
        1 => Just(Act::BeginALogin),
        2 => (pick.clone(), 0..3_u8, proptest::option::of(0..4_usize))
            .prop_map(|(begun, credential, handle)| Act::FinishALogin { begun, credential, handle }),
        20 => pick.clone().prop_map(|ceremony| Act::Answer { ceremony }),
        8 => Just(Act::Finish),
        1 => pick.clone().prop_map(|user| Act::SignOut { user }),
        1 => pick.clone().prop_map(|ceremony| Act::Die { ceremony }),
        1 => pick.prop_map(|user| Act::Promote { user }),
        1 => (0..20_i64).prop_map(|minutes| Act::Wait { minutes }),
    ]
}
