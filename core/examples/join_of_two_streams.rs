//! Joins two streams by their first word: orders (`ID WHAT..`) with the payments (`ID AMOUNT`) of the last 10 seconds.
//!
//! ```sh
//! nc -lk 8880    # orders
//! nc -lk 8881    # payments
//! cargo run --release -p highwater-core --example join_of_two_streams -- tcp://127.0.0.1:8880 tcp://127.0.0.1:8881 checkpoint
//! ```

use highwater_core::prelude::*;

/// `ID REST` as a pair; a line without a blank is none.
fn by_id(line: Text) -> Option<(Word, Word)> {
    let (id, rest) = line.split_once(' ')?;
    Some((id.into(), rest.trim().into()))
}

fn create(env: &Env, orders: &str, payments: &str) -> Result<StreamingContext> {
    let context = StreamingContext::new(env, Options::default())?;
    let (window, slide) = (Interval::from_secs(10), Interval::from_secs(1));
    let payments = context.socket_text_stream(payments)?.flat_map(by_id).window(window, slide);
    context
        .socket_text_stream(orders)?
        .flat_map(by_id)
        .left_outer_join(payments)
        .map(|(id, (order, payment))| match payment {
            Some(amount) => format!("{id}: {order}, paid {amount}"),
            None => format!("{id}: {order}, not paid yet"),
        })
        .print();
    Ok(context)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(orders), Some(payments), Some(directory)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        eprintln!("usage: join_of_two_streams ORDERS_URL PAYMENTS_URL CHECKPOINT_DIRECTORY");
        std::process::exit(2);
    };
    let mut context =
        StreamingContext::get_or_create(os::env(), directory, |env| create(env, &orders, &payments)).await?;
    context.start().await?;
    context.await_termination().await
}
