//! Tests of sending mail through a real SMTP server.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use adapters_external::{SmtpMailer, SmtpSettings};
use test_services::{SmtpSink, SmtpTls, smtp_sink};
use ticketing_ports::outside::mailer::{Mail, MailError, Mailer as _};
use ticketing_ports::vocabulary::email::EmailAddress;
use uuid::Uuid;

const LINK: &str = "https://tickets.example/auth/verify#token=AbC-_9";

fn mail(to: &str) -> Mail {
    Mail {
        id: Uuid::from_u128(7),
        to: EmailAddress::parse(to).unwrap(),
        subject: "Your sign-in link".to_owned(),
        text: format!("Open this link:\n\n{LINK}\n"),
        html: Some(format!("<p><a href=\"{LINK}\">Sign in</a></p>")),
    }
}

fn mailer(sink: &SmtpSink, tls: SmtpTls) -> SmtpMailer {
    let address = sink.address();
    let url = match tls {
        SmtpTls::None => format!("smtp://{address}?tls=none"),
        SmtpTls::StartTls => format!("smtp://{address}"),
        SmtpTls::Implicit => format!("smtps://{address}"),
    };
    trusting(&url, Some(sink.certificate()))
}

fn trusting(url: &str, certificate: Option<&str>) -> SmtpMailer {
    SmtpMailer::new(&SmtpSettings {
        url: url.to_owned(),
        from: "Box office <tickets@example.com>".to_owned(),
        root_certificate: certificate.map(ToOwned::to_owned),
    })
    .unwrap()
}

#[tokio::test]
async fn a_mail_arrives_in_text_and_html_over_every_kind_of_connection() {
    for tls in [SmtpTls::None, SmtpTls::StartTls, SmtpTls::Implicit] {
        let sink = smtp_sink(tls).await.unwrap();
        mailer(&sink, tls).send(mail("ada@example.com")).await.unwrap();
        let received = sink.received().unwrap();
        let [arrived] = received.as_slice() else {
            panic!("{received:?} over {tls:?}");
        };
        assert_eq!(arrived.to, ["ada@example.com"]);
        assert_eq!(arrived.from, "Box office <tickets@example.com>");
        assert_eq!(arrived.subject, "Your sign-in link");
        assert!(arrived.text.as_ref().unwrap().contains(LINK));
        assert!(arrived.html.as_ref().unwrap().contains(LINK));
        assert_eq!(arrived.encrypted, tls != SmtpTls::None);
    }
}

#[tokio::test]
async fn a_mail_has_an_id_under_the_domain_of_its_sender_which_stays_when_it_is_sent_again() {
    let sink = smtp_sink(SmtpTls::None).await.unwrap();
    let mailer = mailer(&sink, SmtpTls::None);
    for _ in 0..2 {
        mailer.send(mail("ada@example.com")).await.unwrap();
    }
    let received = sink.received().unwrap();
    let ids: Vec<_> = received.iter().map(|mail| mail.message_id.as_deref()).collect();
    let id = format!("<{}@example.com>", Uuid::from_u128(7));
    assert_eq!(ids, [Some(id.as_str()), Some(id.as_str())]);
}

#[tokio::test]
async fn a_server_without_encryption_gets_no_mail_unless_the_settings_say_so() {
    let sink = smtp_sink(SmtpTls::None).await.unwrap();
    let strict = trusting(&format!("smtp://{}", sink.address()), None);
    let outcome = strict.send(mail("ada@example.com")).await;
    assert!(
        matches!(outcome, Err(MailError::Unavailable(_) | MailError::Refused(_))),
        "{outcome:?}"
    );
    assert_eq!(sink.received().unwrap(), []);
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_gets_no_mail() {
    for tls in [SmtpTls::StartTls, SmtpTls::Implicit] {
        let sink = smtp_sink(tls).await.unwrap();
        let scheme = if tls == SmtpTls::Implicit { "smtps" } else { "smtp" };
        let outcome = trusting(&format!("{scheme}://{}", sink.address()), None)
            .send(mail("ada@example.com"))
            .await;
        assert!(matches!(outcome, Err(MailError::Unavailable(_))), "{outcome:?}");
        assert_eq!(sink.received().unwrap(), []);
    }
}

#[tokio::test]
async fn refused_and_later_are_told_apart_and_no_error_shows_the_address() {
    let sink = smtp_sink(SmtpTls::None).await.unwrap();
    let mailer = mailer(&sink, SmtpTls::None);
    let refused = mailer.send(mail("refused.ada@example.com")).await.unwrap_err();
    assert!(matches!(refused, MailError::Refused(_)), "{refused:?}");
    let later = mailer.send(mail("later.ada@example.com")).await.unwrap_err();
    assert!(matches!(later, MailError::Unavailable(_)), "{later:?}");
    let nobody = trusting("smtp://localhost:1?tls=none", None)
        .send(mail("ada@example.com"))
        .await
        .unwrap_err();
    assert!(matches!(nobody, MailError::Unavailable(_)), "{nobody:?}");
    for error in [refused, later, nobody] {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("ada") && !told.contains("AbC"), "{told}");
    }
}

#[test]
fn settings_that_cannot_work_are_told_without_their_values() {
    for (url, from) in [
        ("http://mail.example.com", "tickets@example.com"),
        ("smtp://", "tickets@example.com"),
        ("smtp://ada:s3cret@mail.example.com?tls=maybe", "tickets@example.com"),
        ("smtps://mail.example.com/inbox", "tickets@example.com"),
        ("smtps://mail.example.com", "not an address"),
    ] {
        let settings = SmtpSettings {
            url: url.to_owned(),
            from: from.to_owned(),
            root_certificate: None,
        };
        let told = SmtpMailer::new(&settings).unwrap_err().to_string();
        assert!(!told.contains("s3cret"), "{told}");
    }
}
