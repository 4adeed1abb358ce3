//! The server cannot serve from a damaged file: it does not start, and says which file is damaged and how.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::ensure;
use serde_json::json;
use sqlx::{Connection as _, SqliteConnection};

use crate::Process;
use crate::support::office::Person;
use crate::support::{Installation, Server};

/// The page of the log's table to damage.
#[derive(Debug, Clone, Copy)]
enum Page {
    /// The root page, which every look-up in the log reads.
    Root,
    /// The page with the oldest facts, which is read only by somebody who reads the whole log.
    Oldest,
}

/// Overwrites a page of the log with nonsense.
async fn damage(file: &Path, which: Page) -> anyhow::Result<()> {
    const SIZE: u64 = 4096;
    let mut connection = SqliteConnection::connect(file.to_str().expect("the path is valid UTF-8")).await?;
    let root: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_master WHERE name = 'events'")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    let file = fs::File::options().read(true).write(true).open(file)?;
    let place = |page: u32| (u64::from(page) - 1) * SIZE;
    let root = u32::try_from(root)?;
    let page = match which {
        Page::Root => root,
        Page::Oldest => {
            let mut bytes = [0; SIZE as usize];
            file.read_exact_at(&mut bytes, place(root))?;
            ensure!(
                bytes[0] == 5,
                "the root page is not an interior page, so the log is too short for this test"
            );
            // In SQLite, the first cell of an interior page begins with the number of the page's leftmost child page.
            let cell = usize::from(u16::from_be_bytes([bytes[12], bytes[13]]));
            u32::from_be_bytes(bytes[cell..cell + 4].try_into()?)
        }
    };
    file.write_all_at(&[0xA5; SIZE as usize], place(page))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_page_ends_the_start_with_one_line_that_names_the_file() {
    let story = async {
        for page in [Page::Root, Page::Oldest] {
            let folder = tempfile::tempdir()?;
            let installation = Installation::embedded(folder.path());
            let mut server = Server::start(&installation, 20)?;
            for number in 0..20 {
                let seat = json!({"event_id": server.event, "section": "General", "quantity": 1});
                let mut customer = Person::customer(&server, number)?;
                customer.post("/api/reservations", seat).await?.expect(201)?;
            }
            server.stop()?;
            let file = folder.path().join("box-office.db");
            damage(&file, page).await?;
            for command in ["serve", "demo"] {
                let (line, code) = Process::start(&installation, &[command])?.end()?;
                assert_eq!(code, Some(1), "{line}");
                assert!(line.contains(&*file.to_string_lossy()), "{line}");
                assert!(line.contains("damaged"), "{line}");
            }
        }
        anyhow::Ok(())
    };
    story.await.expect("a server does not start from a damaged file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_ahead_log_that_was_emptied_ends_the_start_with_one_line_that_names_the_file() {
    let story = async {
        let folder = tempfile::tempdir()?;
        let installation = Installation::embedded(folder.path());
        Server::start(&installation, 1)?.kill()?;
        fs::write(folder.path().join("box-office.db-wal"), "")?;
        let file = folder.path().join("box-office.db");
        for command in [
            &["serve"][..],
            &["demo"],
            &["bootstrap-admin", "--email", "ada@example.com"],
        ] {
            let (line, code) = Process::start(&installation, command)?.end()?;
            assert_eq!(code, Some(1), "{line}");
            assert!(
                line.starts_with(&format!("app-server: {} ends at fact ", file.display())),
                "{line}"
            );
        }
        anyhow::Ok(())
    };
    story.await.expect("a server notices the emptied write-ahead log");
}
