//! Summing sales, and listing what a customer bought.

use ticketing_ports::read_models::changes::Change;
use ticketing_ports::read_models::sales::SectionSales;
use ticketing_ports::vocabulary::money::{Currency, Money};

use super::models::ReadModels;
use super::paging::{ensure_pages, page};
use super::rows::{
    created, customer, eur, event, event_id, label, opened, payment_id, reservation_id, sale, sale_of_two_sections,
    student,
};
use crate::conformance::fixtures::at;
use crate::conformance::{Broken, Verdict, ensure_eq};

pub(super) async fn an_event_without_sales_has_zeros_and_an_unknown_one_nothing(models: &ReadModels) -> Verdict {
    ensure_eq!(
        models.sales.event_sales(event_id(1)).await?,
        None,
        "sales of an unknown event"
    );
    models
        .apply(vec![created(1), opened(1, 1, 10), opened(1, 2, 20)])
        .await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the sums of an event without sales are missing"));
    };
    ensure_eq!(sales.event_id, event_id(1), "event");
    ensure_eq!(sales.total_revenue, eur(0), "revenue");
    ensure_eq!(sales.refunded, eur(0), "refunds");
    ensure_eq!(sales.tickets_sold, 0, "tickets");
    ensure_eq!(sales.total_capacity, 30, "capacity");
    Ok(())
}

/// Applies three sales of event 1, in two sections and two tiers.
async fn three_sales(models: &ReadModels) -> Verdict {
    models
        .apply(vec![
            created(1),
            created(2),
            opened(1, 1, 10),
            opened(1, 2, 20),
            opened(2, 3, 5),
        ])
        .await?;
    let mut vip = sale(3, 1, 1_000);
    vip.lines[0].section = label("Section 2");
    vip.lines[0].tier = label("vip");
    vip.lines[0].ticket_type = Some(student());
    let mut elsewhere = sale(4, 5, 10_000);
    elsewhere.event_id = event_id(2);
    for one in [sale(1, 2, 1_500), sale(2, 3, 1_500), vip, elsewhere] {
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    Ok(())
}

pub(super) async fn sales_sum_quantities_and_amounts(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the sums of the event are missing"));
    };
    ensure_eq!(sales.tickets_sold, 6, "tickets");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    let by_type: Vec<_> = sales.by_ticket_type.into_iter().collect();
    ensure_eq!(by_type, [(label("student"), 1)], "tickets by ticket type");
    let by_tier: Vec<_> = sales.by_tier.into_iter().collect();
    ensure_eq!(by_tier, [(label("regular"), 5), (label("vip"), 1)], "tickets by tier");
    let section = |tickets_sold, revenue| SectionSales {
        tickets_sold,
        revenue: eur(revenue),
    };
    let by_section: Vec<_> = sales.by_section.into_iter().collect();
    let expected = [
        (label("Section 1"), section(5, 7_500)),
        (label("Section 2"), section(1, 1_000)),
    ];
    ensure_eq!(by_section, expected, "sales by section");
    Ok(())
}

pub(super) async fn a_sale_of_several_lines_counts_for_the_section_and_the_tier_of_each(
    models: &ReadModels,
) -> Verdict {
    three_sales(models).await?;
    let mut sale = sale_of_two_sections(5);
    // The first line has a type, and the second has none.
    sale.lines[0].ticket_type = sale.lines[1].ticket_type.take();
    models.apply(vec![Change::TicketsSold(sale.clone())]).await?;
    let refunded = Change::SaleRefunded {
        reservation_id: reservation_id(5),
        amount: eur(700),
    };
    models.apply(vec![refunded]).await?;
    let sums = async || -> Result<_, Broken> {
        let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
            return Err(Broken::because("the sums of the event are missing"));
        };
        let by_type: Vec<_> = sales.by_ticket_type.into_iter().collect();
        let by_tier: Vec<_> = sales.by_tier.into_iter().collect();
        let sections = sales.by_section.into_iter();
        let by_section: Vec<_> = sections
            .map(|(name, section)| (name, section.tickets_sold, section.revenue.amount))
            .collect();
        let whole = (sales.tickets_sold, sales.total_revenue.amount, sales.refunded.amount);
        Ok((whole, by_type, by_tier, by_section))
    };
    let students = |tickets| vec![(label("student"), tickets)];
    let tiers = |late, regular, vip| vec![(label("late"), late), (label("regular"), regular), (label("vip"), vip)];
    let sections = |first, second| vec![(label("Section 1"), first, 10_500), (label("Section 2"), second, 4_300)];
    ensure_eq!(
        sums().await?,
        ((11, 14_800, 700), students(3), tiers(3, 7, 1), sections(7, 4)),
        "sums with a sale of two lines"
    );
    let of_customer = models.sales.purchases_of(customer(1), page(1, 9)).await?.rows;
    let bought = of_customer
        .into_iter()
        .find(|purchase| purchase.sale.reservation_id == sale.reservation_id);
    ensure_eq!(
        bought.map(|purchase| (purchase.sale, purchase.refunded)),
        Some((sale, eur(700))),
        "purchase of two lines"
    );
    let spent = models.sales.lifetime_value(customer(1)).await?;
    let spent: Vec<_> = spent.iter().map(|value| (value.orders, value.tickets)).collect();
    ensure_eq!(spent, [(5, 16)], "orders and tickets of the customer");
    let returned = Change::TicketsReturned {
        reservation_id: reservation_id(5),
    };
    models.apply(vec![returned]).await?;
    ensure_eq!(
        sums().await?,
        ((6, 14_800, 700), students(1), tiers(0, 5, 1), sections(5, 1)),
        "sums once the tickets of both lines are given back"
    );
    Ok(())
}

pub(super) async fn refunds_are_counted_beside_revenue(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    for amount in [500, 250] {
        models
            .apply(vec![Change::SaleRefunded {
                reservation_id: reservation_id(2),
                amount: eur(amount),
            }])
            .await?;
    }
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the sums of the event are missing"));
    };
    ensure_eq!(sales.refunded, eur(750), "refunds");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    ensure_eq!(sales.tickets_sold, 6, "tickets, none of which was given back");
    let other = models.sales.event_sales(event_id(2)).await?;
    ensure_eq!(
        other.map(|sales| sales.refunded),
        Some(eur(0)),
        "refunds of another event"
    );
    Ok(())
}

pub(super) async fn returned_tickets_are_not_counted_as_sold(models: &ReadModels) -> Verdict {
    three_sales(models).await?;
    models
        .apply(vec![Change::TicketsReturned {
            reservation_id: reservation_id(2),
        }])
        .await?;
    let Some(sales) = models.sales.event_sales(event_id(1)).await? else {
        return Err(Broken::because("the sums of the event are missing"));
    };
    ensure_eq!(sales.tickets_sold, 3, "tickets");
    ensure_eq!(sales.total_revenue, eur(8_500), "revenue");
    ensure_eq!(sales.refunded, eur(0), "refunds, none of which was paid");
    ensure_eq!(sales.by_tier.get(&label("regular")), Some(&2), "tickets of the tier");
    let section = sales.by_section.get(&label("Section 1"));
    ensure_eq!(
        section.map(|sales| sales.tickets_sold),
        Some(2),
        "tickets of the section"
    );
    Ok(())
}

pub(super) async fn purchases_of_a_customer_are_listed_newest_first(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    // The fourth sale cost nothing, so it has no payment.
    let paid = |number| (number != 4).then(|| payment_id(number));
    for (number, who, time) in [(4, 1, 10), (9, 2, 15), (2, 1, 30), (3, 1, 20)] {
        let mut one = sale(number, 2, 1_500);
        one.customer_id = customer(who);
        one.sold_at = at(time);
        one.payment_id = paid(number);
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    let returned = reservation_id(3);
    models
        .apply(vec![
            Change::TicketsReturned {
                reservation_id: returned,
            },
            Change::SaleRefunded {
                reservation_id: returned,
                amount: eur(1_000),
            },
        ])
        .await?;
    let name = event(1).details.name.clone();
    let key = |purchase: &ticketing_ports::read_models::sales::Purchase| {
        let sale = &purchase.sale;
        (
            sale.reservation_id,
            sale.payment_id,
            purchase.event_name.clone(),
            purchase.refunded,
            purchase.returned,
        )
    };
    let whole = |number| (reservation_id(number), paid(number), name.clone(), eur(0), false);
    let given_back = (returned, paid(3), name.clone(), eur(1_000), true);
    let ask = |who| move |page| models.sales.purchases_of(customer(who), page);
    ensure_pages(&[whole(2), given_back, whole(4)], key, ask(1)).await?;
    ensure_pages(&[whole(9)], key, ask(2)).await?;
    ensure_pages(&[], key, ask(3)).await
}

pub(super) async fn lifetime_value_keeps_currencies_apart(models: &ReadModels) -> Verdict {
    models.apply(vec![created(1)]).await?;
    let usd = |amount| Money::new(amount, Currency::USD);
    let mut dollars = sale(2, 1, 9_900);
    dollars.lines[0].unit_price = usd(9_900);
    dollars.lines[0].total = usd(9_900);
    dollars.total_amount = usd(9_900);
    let mut another = sale(4, 1, 100);
    another.customer_id = customer(2);
    for (time, mut one) in [
        (30, sale(1, 2, 1_500)),
        (20, dollars),
        (10, sale(3, 3, 1_000)),
        (40, another),
    ] {
        one.sold_at = at(time);
        models.apply(vec![Change::TicketsSold(one)]).await?;
    }
    models
        .apply(vec![
            Change::TicketsReturned {
                reservation_id: reservation_id(3),
            },
            Change::SaleRefunded {
                reservation_id: reservation_id(3),
                amount: eur(2_000),
            },
        ])
        .await?;
    let values = models.sales.lifetime_value(customer(1)).await?;
    let [euros, dollars] = values.as_slice() else {
        return Err(Broken::because(format!(
            "{values:?} instead of one value for each of two currencies"
        )));
    };
    ensure_eq!((euros.spent, dollars.spent), (eur(6_000), usd(9_900)), "spent");
    ensure_eq!((euros.refunded, dollars.refunded), (eur(2_000), usd(0)), "refunded");
    ensure_eq!((euros.orders, dollars.orders), (2, 1), "orders");
    ensure_eq!((euros.tickets, dollars.tickets), (2, 1), "tickets that were kept");
    let times = (euros.first_purchase_at, euros.last_purchase_at);
    ensure_eq!(times, (at(10), at(30)), "the first and the last purchase in euros");
    ensure_eq!(
        models.sales.lifetime_value(customer(3)).await?,
        [],
        "lifetime value of a customer who never bought"
    );
    Ok(())
}
