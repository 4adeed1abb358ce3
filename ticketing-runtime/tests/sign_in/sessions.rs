//! Sessions: how long they last, and what ends them.

use std::sync::Arc;

use adapters_memory::RecordingMailer;
use chrono::TimeDelta;
use ticketing_domain::sign_in::{SESSION_IDLE, SESSION_LIFETIME, SignInRefusal};
use ticketing_ports::people::erase::{Erase as _, Person};
use ticketing_ports::people::users::UserStore;
use ticketing_ports::vocabulary::roles::{Actor, Role};
use ticketing_ports::vocabulary::secrets::{Secret, SecretDigest};
use ticketing_runtime::{SessionChange, SignInFailure};

use crate::door::Door;
use crate::slow::{LossySessions, SlowSessions};

const INSTANT: TimeDelta = TimeDelta::milliseconds(1);
const A_SECOND: TimeDelta = TimeDelta::seconds(1);

#[tokio::test]
async fn a_logout_works_at_once() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.sessions.end(ada.session.digest).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert!(!door.sign_in.sessions.end(ada.session.digest).await.unwrap());
}

#[tokio::test]
async fn an_answer_that_was_read_before_a_logout_is_not_remembered_after_it() {
    let sessions = Arc::new(SlowSessions::default());
    let door = Door::with(sessions.clone(), Arc::new(RecordingMailer::new()));
    let ada = door.signed_in().await;
    let reader = tokio::spawn({
        let (sign_in, secret) = (door.sign_in.clone(), ada.secret.clone());
        async move { sign_in.sessions.authenticate(&secret).await }
    });
    sessions.was_read.acquire().await.unwrap().forget();
    door.sign_in.sessions.end(ada.session.digest).await.unwrap();
    sessions.may_answer.add_permits(1);
    assert!(
        reader.await.unwrap().unwrap().is_some(),
        "the reader came before the logout"
    );
    sessions.may_answer.add_permits(1);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_session_that_ends_while_its_use_is_written_down_is_over() {
    let sessions = Arc::new(SlowSessions::default());
    let door = Door::with(sessions.clone(), Arc::new(RecordingMailer::new()));
    let ada = door.signed_in().await;
    door.clock.advance(TimeDelta::minutes(1));
    let reader = tokio::spawn({
        let (sign_in, secret) = (door.sign_in.clone(), ada.secret.clone());
        async move { sign_in.sessions.authenticate(&secret).await }
    });
    sessions.was_read.acquire().await.unwrap().forget();
    door.sign_in.sessions.end(ada.session.digest).await.unwrap();
    sessions.may_answer.add_permits(1);
    assert!(reader.await.unwrap().unwrap().is_none());
}

#[tokio::test]
async fn logging_out_everywhere_ends_every_session_of_one_user() {
    let door = Door::new();
    let (first, second) = (door.signed_in().await, door.signed_in().await);
    let grace = door.user("grace@example.com", Role::Customer).await;
    let grace = door.sign_in.sessions.open(&grace).await.unwrap();
    for one in [&first, &second, &grace] {
        assert!(door.authenticate(&one.secret).await.is_some());
    }
    assert_eq!(door.sign_in.sessions.end_all_of(first.user.id).await.unwrap(), 2);
    assert!(door.authenticate(&first.secret).await.is_none());
    assert!(door.authenticate(&second.secret).await.is_none());
    assert!(door.authenticate(&grace.secret).await.is_some());
}

#[tokio::test]
async fn an_erased_user_is_signed_out_at_once_and_leaves_no_session() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.accounts.erase(ada.user.id).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert_eq!(door.sign_in.sessions.of(ada.user.id).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_that_another_process_erased_is_signed_out_within_a_second() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    let person = Person {
        id: ada.user.id,
        email: Some(ada.user.email.clone()),
    };
    assert_eq!(door.users.erase(&person).await.unwrap(), 1);
    door.clock.advance(A_SECOND);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_demotion_by_another_process_is_seen_within_a_second() {
    let door = Door::new();
    let owner = door.user("owner@example.com", Role::EventOwner).await;
    let owner = door.sign_in.sessions.open(&owner).await.unwrap();
    assert_eq!(door.authenticate(&owner.secret).await.unwrap().1.role, Role::EventOwner);
    door.users.set_role(owner.user.id, Role::Customer).await.unwrap();
    door.clock.advance(A_SECOND);
    assert_eq!(door.authenticate(&owner.secret).await.unwrap().1.role, Role::Customer);
}

#[tokio::test]
async fn a_role_that_is_given_again_ends_the_sessions_that_a_process_which_died_did_not_end() {
    let door = Door::new();
    let accounts = &door.sign_in.accounts;
    let by = Actor {
        user_id: door.user("root@example.com", Role::Admin).await.id,
        role: Role::Admin,
    };
    for role in [Role::EventOwner, Role::Customer] {
        let ada = door.signed_in().await;
        door.users.set_role(ada.user.id, role).await.unwrap();
        accounts.set_role(ada.user.id, role).await.unwrap();
        assert!(door.authenticate(&ada.secret).await.is_none(), "by an operator");

        let ada = door.signed_in().await;
        door.users.set_role(ada.user.id, role).await.unwrap();
        accounts.give_role(by, &ada.user.email, role).await.unwrap();
        assert!(door.authenticate(&ada.secret).await.is_none(), "by an administrator");
    }
}

#[tokio::test]
async fn a_role_for_an_account_that_is_erased_meanwhile_is_told_to_be_for_nobody() {
    let door = Door::new();
    let by = Actor {
        user_id: door.user("root@example.com", Role::Admin).await.id,
        role: Role::Admin,
    };
    let ada = door.user("ada@example.com", Role::Customer).await;
    let person = Person {
        id: ada.id,
        email: Some(ada.email.clone()),
    };
    // The store of users lets the erasure run after it has found the account.
    let (given, erased) = tokio::join!(
        door.sign_in.accounts.give_role(by, &ada.email, Role::EventOwner),
        door.users.erase(&person),
    );
    erased.unwrap();
    assert!(
        matches!(given, Err(SignInFailure::Refused(SignInRefusal::NoSuchUser))),
        "{given:?}"
    );
    assert!(!door.sign_in.accounts.set_role(ada.id, Role::EventOwner).await.unwrap());
}

#[tokio::test]
async fn a_new_role_ends_the_sessions_that_began_under_the_old_one() {
    let door = Door::new();
    let ada = door.signed_in().await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    assert!(door.sign_in.accounts.set_role(ada.user.id, Role::Admin).await.unwrap());
    assert!(door.authenticate(&ada.secret).await.is_none());
    assert_eq!(door.signed_in().await.user.role, Role::Admin);
}

#[tokio::test]
async fn a_ticket_opens_one_socket_within_half_a_minute() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let ticket = || door.sign_in.sessions.issue_ws_ticket(&ada.session);
    let redeem = async |ticket: &Secret| door.sign_in.sessions.redeem_ws_ticket(ticket).await.unwrap();

    let first = ticket().await.unwrap();
    assert_eq!(redeem(&first).await.unwrap().1.id, ada.user.id);
    assert!(redeem(&first).await.is_none(), "a ticket opened twice");

    let late = ticket().await.unwrap();
    door.clock.advance(TimeDelta::seconds(30));
    assert!(redeem(&late).await.is_none(), "a ticket opened after its time");

    let orphan = ticket().await.unwrap();
    door.sign_in.sessions.end(ada.secret.digest()).await.unwrap();
    assert!(
        redeem(&orphan).await.is_none(),
        "a ticket opened for a session that is over"
    );
}

#[tokio::test]
async fn an_idle_session_ends_after_a_day() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.clock.advance(SESSION_IDLE - INSTANT);
    assert_eq!(door.sign_in.sessions.of(ada.user.id).await.unwrap().len(), 1);
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_session_that_is_remembered_ends_on_time_all_the_same() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.use_for(&ada, SESSION_LIFETIME - INSTANT).await;
    assert!(door.authenticate(&ada.secret).await.is_some());
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn use_moves_the_idle_end_and_is_written_down_once_a_minute() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let begun = ada.session.created_at;
    door.clock.advance(TimeDelta::seconds(59));
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.last_active, begun);
    door.clock.advance(A_SECOND);
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.last_active, begun + TimeDelta::minutes(1));
    assert_eq!(session.idle_until, session.last_active + SESSION_IDLE);
    let stored = door.sign_in.sessions.of(ada.user.id).await.unwrap();
    assert_eq!(stored, [session]);
}

#[tokio::test]
async fn no_use_carries_a_session_past_a_week() {
    let door = Door::new();
    let ada = door.signed_in().await;
    door.use_for(&ada, SESSION_LIFETIME - INSTANT).await;
    let (session, _) = door.authenticate(&ada.secret).await.unwrap();
    assert_eq!(session.expires_at(), ada.session.created_at + SESSION_LIFETIME);
    door.clock.advance(INSTANT);
    assert!(door.authenticate(&ada.secret).await.is_none());
}

#[tokio::test]
async fn a_look_at_a_session_is_no_use_of_it_and_shows_what_another_process_did() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let digest = ada.secret.digest();
    let look = async || door.sign_in.sessions.look(digest).await.unwrap();
    door.clock.advance(SESSION_IDLE - INSTANT);
    let (session, user) = look().await.unwrap();
    assert_eq!((session.last_active, user.id), (ada.session.last_active, ada.user.id));
    door.clock.advance(INSTANT);
    assert_eq!(look().await, None, "a look has prolonged the session");
    assert_eq!(
        door.sign_in
            .sessions
            .look(SecretDigest::from_bytes([7; 32]))
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn who_follows_the_changes_is_told_of_every_session_that_this_process_ends() {
    let door = Door::new();
    let ada = door.signed_in().await;
    let mut changes = door.sign_in.sessions.changes();
    door.sign_in.sessions.end(ada.secret.digest()).await.unwrap();
    assert_eq!(changes.try_recv(), Ok(SessionChange::Of(ada.secret.digest())));
    door.sign_in.sessions.end_all_of(ada.user.id).await.unwrap();
    assert_eq!(changes.try_recv(), Ok(SessionChange::OfAllOf(ada.user.id)));
    door.sign_in.accounts.set_role(ada.user.id, Role::Admin).await.unwrap();
    assert_eq!(changes.try_recv(), Ok(SessionChange::OfAllOf(ada.user.id)));
}

#[tokio::test]
async fn a_session_whose_end_the_store_does_not_confirm_is_forgotten_and_told_of_all_the_same() {
    let door = Door::with(Arc::new(LossySessions::default()), Arc::new(RecordingMailer::new()));
    let (first, second) = (door.signed_in().await, door.signed_in().await);
    let mut changes = door.sign_in.sessions.changes();
    for one in [&first, &second] {
        assert!(door.authenticate(&one.secret).await.is_some());
    }
    door.sign_in.sessions.end(first.session.digest).await.unwrap_err();
    assert_eq!(changes.try_recv(), Ok(SessionChange::Of(first.session.digest)));
    assert!(door.authenticate(&first.secret).await.is_none());
    door.sign_in.sessions.end_all_of(first.user.id).await.unwrap_err();
    assert_eq!(changes.try_recv(), Ok(SessionChange::OfAllOf(first.user.id)));
    assert!(door.authenticate(&second.secret).await.is_none());
}
