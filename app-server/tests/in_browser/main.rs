//! People sign in and buy in a real browser, against an embedded server and against one on services: by mail, by
//! passkey and by an OpenID Connect issuer. The script `test-services/browser/walk.mjs` does the clicking; each of
//! its walks ends with the line `NAME: done`.

#[path = "../support/mod.rs"]
mod support;

use anyhow::ensure;
use support::{Installation, services};

const WALKS: [&str; 5] = [
    "byMailedLink",
    "comesBackToThisSiteOnly",
    "triesTheDocumentation",
    "byIssuer",
    "fromAnotherOrigin",
];

#[tokio::test]
async fn people_sign_in_and_buy_in_chromium_embedded() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    walk(&Installation::embedded(folder.path())).await
}

#[tokio::test]
async fn people_sign_in_and_buy_in_chromium_on_services() -> anyhow::Result<()> {
    walk(&services::shared().await?).await
}

async fn walk(installation: &Installation) -> anyhow::Result<()> {
    let server = env!("CARGO_BIN_EXE_app-server");
    let walk = test_services::browser_walk(server, installation.variables.clone()).await?;
    let told = walk.go().await?;
    for name in WALKS {
        ensure!(
            told.contains(&format!("{name}: done")),
            "{name} was not walked:\n{told}"
        );
    }
    Ok(())
}
