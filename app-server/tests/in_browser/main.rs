//! Signing in and buying in a real browser, on each way to run the server: by mail, by passkey and by an issuer of OpenID
//! Connect. The walks themselves are in `test-services/browser/walk.mjs`; each ends with the line `NAME: done`.

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
