//! Sign-in links: how they are mailed, and whom they sign in.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use chrono::TimeDelta;
use futures::future::join_all;
use ticketing_domain::sign_in::{Client, LIVE_MAGIC_LINKS, MAGIC_LINK_LIFETIME, SignInRefusal};
use ticketing_ports::people::sessions::SignInMethod;
use ticketing_ports::people::users::UserStore;
use ticketing_ports::vocabulary::email::EmailAddress;
use ticketing_ports::vocabulary::ids::UserId;
use ticketing_ports::vocabulary::roles::Role;
use ticketing_ports::vocabulary::secrets::Secret;
use ticketing_runtime::SignInFailure;
use tokio::sync::{Barrier, Semaphore};

use crate::door::{Door, ada, made_up, token_in};
use crate::slow::{MailServerBackAfter, SlowMailServer};

const INSTANT: TimeDelta = TimeDelta::milliseconds(1);

#[tokio::test]
async fn a_mailed_link_signs_in_a_new_customer() {
    let door = Door::new();
    let token = door.mailed_token().await;
    let from = Client {
        ip: Some([192, 0, 2, 7].into()),
        user_agent: Some("x".repeat(10_000)),
    };
    let signed_in = door.sign_in.ceremonies.redeem_link(&token, from).await.unwrap();
    assert_eq!(signed_in.user.email, ada());
    assert_eq!(signed_in.user.role, Role::Customer);
    assert_eq!(signed_in.session.ip, Some([192, 0, 2, 7].into()));
    assert_eq!(signed_in.session.user_agent.map(|agent| agent.len()), Some(256));
    let (session, user) = door.authenticate(&signed_in.secret).await.unwrap();
    assert_eq!((session.user_id, user.id), (signed_in.user.id, signed_in.user.id));
}

#[tokio::test]
async fn the_link_leads_to_our_page_and_keeps_its_token_in_the_fragment() {
    let door = Door::new();
    let link = door.sign_in.ceremonies.issue_link(&ada()).await.unwrap();
    let token = link
        .strip_prefix("https://tickets.example.com/auth/verify#token=")
        .unwrap();
    assert!(Secret::parse(token).is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_concurrent_verifications_of_one_token_give_one_session() {
    const CLIENTS: usize = 1_000;
    let door = Door::new();
    let token = door.mailed_token().await;
    let start = Arc::new(Barrier::new(CLIENTS));
    let visits = (0..CLIENTS).map(|_| {
        let (start, sign_in, token) = (Arc::clone(&start), door.sign_in.clone(), token.clone());
        tokio::spawn(async move {
            start.wait().await;
            sign_in.ceremonies.redeem_link(&token, Client::default()).await
        })
    });
    let mut signed_in = Vec::new();
    for outcome in join_all(visits).await {
        match outcome.unwrap() {
            Ok(entered) => signed_in.push(entered),
            // After too many failed tries from one network, further tries from there are only told that there were
            // too many.
            Err(SignInFailure::Refused(SignInRefusal::InvalidToken) | SignInFailure::TooManyFailures(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(signed_in.len(), 1);
    let sessions = door.sign_in.sessions.of(signed_in[0].user.id).await.unwrap();
    assert_eq!(sessions.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn links_of_one_new_address_that_are_used_at_once_sign_in_one_user() {
    let door = Door::new();
    let mut tokens = Vec::new();
    for _ in 0..32 {
        tokens.push(token_in(&door.sign_in.ceremonies.issue_link(&ada()).await.unwrap()));
    }
    let start = Arc::new(Barrier::new(tokens.len()));
    let visits = tokens.into_iter().map(|token| {
        let (start, sign_in) = (Arc::clone(&start), door.sign_in.clone());
        tokio::spawn(async move {
            start.wait().await;
            sign_in.ceremonies.redeem_link(&token, Client::default()).await
        })
    });
    let mut users: Vec<UserId> = Vec::new();
    for outcome in join_all(visits).await {
        users.push(outcome.unwrap().unwrap().user.id);
    }
    users.sort();
    users.dedup();
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn a_link_is_refused_from_the_end_of_its_fifteen_minutes_on() {
    let door = Door::new();
    let [early, late] = [door.mailed_token().await, door.mailed_token().await];
    door.clock.advance(MAGIC_LINK_LIFETIME - INSTANT);
    door.sign_in
        .ceremonies
        .redeem_link(&early, Client::default())
        .await
        .unwrap();
    door.clock.advance(INSTANT);
    let outcome = door.sign_in.ceremonies.redeem_link(&late, Client::default()).await;
    assert!(
        matches!(outcome, Err(SignInFailure::Refused(SignInRefusal::InvalidToken))),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn there_is_no_user_before_an_address_is_proven() {
    let door = Door::new();
    let token = door.mailed_token().await;
    assert_eq!(door.users.find_by_email(&ada()).await.unwrap(), None);
    door.sign_in
        .ceremonies
        .redeem_link(&token, Client::default())
        .await
        .unwrap();
    assert!(door.users.find_by_email(&ada()).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_more_than_three_links_of_an_address_are_live_however_fast_they_are_asked_for() {
    let door = Door::new();
    let requests = (0..100).map(|_| {
        let sign_in = door.sign_in.clone();
        tokio::spawn(async move { sign_in.ceremonies.send_link(ada()).await })
    });
    for outcome in join_all(requests).await {
        outcome.unwrap().unwrap();
    }
    assert_eq!(door.outbox().await.len() as u64, LIVE_MAGIC_LINKS);

    let grace = EmailAddress::parse("grace@example.com").unwrap();
    door.sign_in.ceremonies.send_link(grace).await.unwrap();
    assert_eq!(door.outbox().await.len(), 4, "another address has a limit of its own");

    door.clock.advance(MAGIC_LINK_LIFETIME);
    door.sign_in.ceremonies.send_link(ada()).await.unwrap();
    assert_eq!(door.outbox().await.len(), 5, "expired links do not count");
}

#[tokio::test]
async fn a_link_that_was_used_does_not_count_as_a_live_one() {
    let door = Door::new();
    let token = door.mailed_token().await;
    door.mailed_token().await;
    door.mailed_token().await;
    door.sign_in
        .ceremonies
        .redeem_link(&token, Client::default())
        .await
        .unwrap();
    door.sign_in.ceremonies.send_link(ada()).await.unwrap();
    assert_eq!(door.outbox().await.len(), 4);
}

#[tokio::test]
async fn an_operators_link_ignores_the_limit() {
    let door = Door::new();
    for _ in 0..LIVE_MAGIC_LINKS {
        door.mailed_token().await;
    }
    let token = token_in(&door.sign_in.ceremonies.issue_link(&ada()).await.unwrap());
    door.sign_in
        .ceremonies
        .redeem_link(&token, Client::default())
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_link_that_could_not_be_mailed_is_withdrawn() {
    let door = Door::with_mailer(Arc::new(MailServerBackAfter(AtomicUsize::new(usize::MAX))));
    door.sign_in.ceremonies.send_link(ada()).await.unwrap();
    door.sign_in.ceremonies.mails_delivered().await;
    assert_eq!(door.live_links().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_mail_server_that_comes_back_gets_the_mail_then() {
    let server = Arc::new(MailServerBackAfter(AtomicUsize::new(3)));
    let door = Door::with_mailer(server.clone());
    door.sign_in.ceremonies.send_link(ada()).await.unwrap();
    door.sign_in.ceremonies.mails_delivered().await;
    assert_eq!(server.0.load(Relaxed), 0, "tries that failed were repeated");
    assert_eq!(door.live_links().await, 1, "the link that arrived is good");
}

#[tokio::test]
async fn a_sixth_mail_within_a_quarter_of_an_hour_is_silently_not_sent() {
    let door = Door::new();
    for _ in 0..7 {
        let before = door.outbox().await.len();
        door.sign_in.ceremonies.send_link(ada()).await.unwrap();
        if let Some(mail) = door.outbox().await.get(before) {
            door.sign_in
                .ceremonies
                .redeem_link(&token_in(&mail.text), Client::default())
                .await
                .unwrap();
        }
    }
    assert_eq!(door.outbox().await.len(), 5);
}

#[tokio::test]
async fn a_network_whose_proofs_keep_failing_is_told_so_and_another_is_not() {
    let door = Door::new();
    let at = |last: u8| Client {
        ip: Some([192, 0, 2, last].into()),
        user_agent: None,
    };
    for _ in 0..20 {
        let outcome = door.sign_in.ceremonies.redeem_link(&made_up(), at(1)).await;
        assert!(matches!(outcome, Err(SignInFailure::Refused(_))), "{outcome:?}");
    }
    let outcome = door.sign_in.ceremonies.redeem_link(&made_up(), at(1)).await;
    assert!(matches!(outcome, Err(SignInFailure::TooManyFailures(_))), "{outcome:?}");
    let outcome = door.sign_in.ceremonies.redeem_link(&made_up(), at(2)).await;
    assert!(matches!(outcome, Err(SignInFailure::Refused(_))), "{outcome:?}");
}

#[tokio::test]
async fn an_unreadable_secret_counts_against_its_network_like_a_wrong_one() {
    let door = Door::new();
    let from = |last: u8| Some([192, 0, 2, last].into());
    let show_nonsense = async |last| {
        let (method, refusal) = (SignInMethod::MagicLink, SignInRefusal::InvalidToken);
        let ceremonies = &door.sign_in.ceremonies;
        ceremonies.refuse_unreadable(method, from(last), refusal).await
    };
    for _ in 0..20 {
        let failure = show_nonsense(1).await;
        assert!(
            matches!(failure, SignInFailure::Refused(SignInRefusal::InvalidToken)),
            "{failure:?}"
        );
    }
    let failure = show_nonsense(1).await;
    assert!(matches!(failure, SignInFailure::TooManyFailures(_)), "{failure:?}");
    let failure = show_nonsense(2).await;
    assert!(matches!(failure, SignInFailure::Refused(_)), "{failure:?}");
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_nobody_up() {
    let mailer = Arc::new(SlowMailServer(Semaphore::new(0)));
    let door = Door::with_mailer(mailer.clone());
    door.sign_in.ceremonies.send_link(ada()).await.unwrap();
    assert_eq!(door.live_links().await, 1);
    mailer.0.add_permits(1);
    door.sign_in.ceremonies.mails_delivered().await;
}
