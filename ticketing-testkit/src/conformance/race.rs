use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;

use super::Broken;

/// Starts `racers` tasks at the same moment and returns what each of them got, in the order of their numbers.
pub(super) async fn race<T, F>(racers: usize, run: impl Fn(usize) -> F) -> Result<Vec<T>, Broken>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(racers));
    let tasks: Vec<_> = (0..racers)
        .map(|number| {
            let (start, racer) = (Arc::clone(&start), run(number));
            tokio::spawn(async move {
                start.wait().await;
                racer.await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(racers);
    for task in tasks {
        results.push(task.await?);
    }
    Ok(results)
}
