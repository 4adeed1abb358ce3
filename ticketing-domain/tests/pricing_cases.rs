//! Plays the cases of `docs/PRICING.md`: each order costs what the page says, and has the parts that the page says.
//!
//! Nobody took the amounts on the page from the function under test. They were calculated from the rules on the page,
//! with exact fractions, by a program of its own.

#![expect(clippy::unwrap_used, reason = "a panic is how a test says that something is broken")]

use ticketing_domain::pricing::{LinePrice, LineToPrice, price_of_order};
use ticketing_ports::vocabulary::ids::{CodeId, FeeId, TaxId};
use ticketing_ports::vocabulary::money::{Currency, Money};
use ticketing_ports::vocabulary::percent::Percent;
use ticketing_ports::vocabulary::pricing::{
    Discount, Fee, FeeAmount, FeePer, FeeRules, NamedCode, PricePart, PriceRules, Tax, TaxRounding, TaxRules, TaxedPart,
};
use ticketing_ports::vocabulary::seating::Label;
use uuid::Uuid;

const PAGE: &str = include_str!("../../docs/PRICING.md");

#[test]
fn each_case_of_the_page_costs_what_the_page_says() {
    let differences: Vec<String> = cases().iter().flat_map(differences).collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[test]
fn the_parts_that_are_not_inside_others_add_up_to_the_line_and_the_lines_to_the_order() {
    for case in cases() {
        let number = case.number;
        let prices = case.play();
        for price in &prices {
            let adding = price.parts.iter().filter(|part| !part.is_included());
            assert_eq!(sum(adding.map(PricePart::amount)), price.total, "case {number}");
        }
        assert_eq!(sum(prices.iter().map(|price| price.total)), case.total, "case {number}");
    }
}

#[test]
fn the_page_has_at_least_sixty_cases_with_numbers_from_one_on() {
    let numbers: Vec<usize> = cases().iter().map(|case| case.number).collect();
    assert!(numbers.len() >= 60, "{} cases", numbers.len());
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
#[should_panic(expected = "case 7: cannot read the order")]
fn a_row_that_cannot_be_read_fails_with_its_number() {
    case("| 7 | - | 1 × 25.00 with nothing off | 25.00 | - | |");
}

/// Returns in words what the page says otherwise than the function.
fn differences(case: &Case) -> Vec<String> {
    let number = case.number;
    let prices = case.play();
    if prices.len() != case.prices.len() {
        return vec![format!("case {number}: the answer has {} lines", prices.len())];
    }
    let pairs = case.prices.iter().zip(&prices).enumerate();
    pairs
        .filter(|(_, (told, real))| told != real)
        .map(|(line, (told, real))| {
            let line = line + 1;
            let (page, function) = (in_words(told), in_words(real));
            format!("case {number}, line {line}:\n  the page:     {page}\n  the function: {function}")
        })
        .collect()
}

fn in_words(price: &LinePrice) -> String {
    let parts: Vec<String> = price.parts.iter().map(part_in_words).collect();
    format!("{} = {}", price.total, parts.join(", "))
}

fn part_in_words(part: &PricePart) -> String {
    let amount = part.amount();
    let place = if part.is_included() { "inside" } else { "adding" };
    match part {
        PricePart::Base { .. } => format!("base {amount}"),
        PricePart::Discount { code, .. } => format!("{} {amount}", code.code),
        PricePart::Fee { name, per, .. } => format!("{name} {amount} per {} {place}", per.as_str()),
        PricePart::Tax { name, rate, moved, .. } => format!("{name} {rate} % {amount} {place} moved {moved}"),
    }
}

fn sum(amounts: impl Iterator<Item = Money>) -> Money {
    amounts.fold(Money::zero(Currency::EUR), |sum, amount| sum.plus(amount).unwrap())
}

/// One row of the table.
struct Case {
    number: usize,
    rules: PriceRules,
    lines: Vec<OrderLine>,
    /// What the page says that the order costs.
    total: Money,
    /// What the page says that each line costs, and of which parts.
    prices: Vec<LinePrice>,
}

/// One line of the order of a case.
struct OrderLine {
    unit_price: Money,
    quantity: u32,
    code: NamedCode,
    discount: Option<Discount>,
}

impl Case {
    fn play(&self) -> Vec<LinePrice> {
        let lines: Vec<LineToPrice<'_>> = self.lines.iter().map(OrderLine::to_price).collect();
        price_of_order(&self.rules, &lines).unwrap_or_else(|error| panic!("case {}: {error}", self.number))
    }
}

impl OrderLine {
    fn to_price(&self) -> LineToPrice<'_> {
        LineToPrice {
            unit_price: self.unit_price,
            quantity: self.quantity,
            discount: self.discount.map(|discount| (&self.code, discount)),
        }
    }
}

/// Reads all rows under the heading of the cases, without the two rows at the head of the table.
fn cases() -> Vec<Case> {
    let (_, cases) = PAGE.split_once("\n## Cases\n").unwrap();
    let rows = cases.lines().filter(|line| line.starts_with('|'));
    rows.skip(2).map(case).collect()
}

fn case(row: &str) -> Case {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let ["", number, event, order, costs, parts, _, ""] = cells[..] else {
        panic!("this row does not have six cells: {row}");
    };
    let Ok(number) = number.parse() else {
        panic!("this row has no number: {row}");
    };
    let unreadable = |what: &str, cell: &str| -> ! { panic!("case {number}: cannot read the {what}: {cell}") };
    let rules = rules(event).unwrap_or_else(|| unreadable("event", event));
    let lines = lines(order).unwrap_or_else(|| unreadable("order", order));
    let (total, totals) = totals(costs).unwrap_or_else(|| unreadable("costs", costs));
    let parts = parts_of_lines(parts, &rules, &lines).unwrap_or_else(|| unreadable("parts", parts));
    if totals.len() != lines.len() {
        unreadable("costs", costs);
    }
    let prices = totals.into_iter().zip(parts);
    Case {
        number,
        rules,
        lines,
        total,
        prices: prices.map(|(total, parts)| LinePrice { parts, total }).collect(),
    }
}

/// Reads the cell of an event, such as `fee booking 2.00 per ticket on top; tax VAT 21 % inside everything`.
fn rules(cell: &str) -> Option<PriceRules> {
    let mut rules = PriceRules::default();
    if cell == "-" {
        return Some(rules);
    }
    for rule in cell.split("; ") {
        match rule.split_once(' ')? {
            ("fee", text) => rules.fees.push(fee(text, rules.fees.len())?),
            ("tax", text) => rules.taxes.push(tax(text, rules.taxes.len())?),
            ("rounded", "per line") => rules.rounding = TaxRounding::PerLine,
            ("rounded", "per tax") => rules.rounding = TaxRounding::PerTax,
            _ => return None,
        }
    }
    Some(rules)
}

/// Reads a fee, such as `booking 2.00 per ticket on top`.
fn fee(text: &str, index: usize) -> Option<Fee> {
    let (name, text) = text.split_once(' ')?;
    let places = [
        (" per ticket on top", FeePer::Ticket, false),
        (" per ticket inside", FeePer::Ticket, true),
        (" per order on top", FeePer::Order, false),
    ];
    let mut places = places.into_iter();
    let (amount, per, included) = places.find_map(|(end, per, inside)| Some((text.strip_suffix(end)?, per, inside)))?;
    let amount = match percent(amount) {
        Some(share) => FeeAmount::Percent(share),
        None => FeeAmount::Fixed(money(amount)?),
    };
    Some(Fee {
        fee_id: FeeId::new(id(1, index)),
        name: Label::new(name).ok()?,
        rules: FeeRules { amount, per, included },
    })
}

/// Reads a tax, such as `VAT 21 % inside everything` or `VAT 21 % on top of fees`.
fn tax(text: &str, index: usize) -> Option<Tax> {
    let (name, text) = text.split_once(' ')?;
    let (included, (rate, on)) = match text.split_once(" inside ") {
        Some(found) => (true, found),
        None => (false, text.split_once(" on top of ")?),
    };
    Some(Tax {
        tax_id: TaxId::new(id(2, index)),
        name: Label::new(name).ok()?,
        rules: TaxRules {
            rate: percent(rate)?,
            included,
            on: TaxedPart::ALL.into_iter().find(|part| part.as_str() == on)?,
        },
    })
}

/// Reads the cell of an order, such as `2 × 25.00; 1 × 10.00 with 20 % off`.
fn lines(cell: &str) -> Option<Vec<OrderLine>> {
    let lines = cell.split("; ").enumerate();
    lines.map(|(index, text)| line(text, index)).collect()
}

fn line(text: &str, index: usize) -> Option<OrderLine> {
    let (quantity, text) = text.split_once(" × ")?;
    let (unit_price, discount) = match text.split_once(' ') {
        Some((unit_price, text)) => (unit_price, Some(discount(text)?)),
        None => (text, None),
    };
    Some(OrderLine {
        unit_price: money(unit_price)?,
        quantity: quantity.parse().ok()?,
        code: NamedCode {
            code_id: CodeId::new(id(3, index)),
            code: Label::new(&format!("CODE-{index}")).ok()?,
        },
        discount,
    })
}

/// Reads `with 20 % off`, `with 5.00 off` or `down to 15.00`.
fn discount(text: &str) -> Option<Discount> {
    if let Some(price) = text.strip_prefix("down to ") {
        return Some(Discount::DownTo(money(price)?));
    }
    let off = text.strip_prefix("with ")?.strip_suffix(" off")?;
    match percent(off) {
        Some(share) => Some(Discount::Percent(share)),
        None => Some(Discount::Amount(money(off)?)),
    }
}

/// Reads what the order costs and what each line costs, such as `60.00 = 50.00 + 10.00`; `60.00` if there is one line.
fn totals(cell: &str) -> Option<(Money, Vec<Money>)> {
    let (total, lines) = cell.split_once(" = ").unwrap_or((cell, cell));
    let lines: Option<Vec<Money>> = lines.split(" + ").map(money).collect();
    Some((money(total)?, lines?))
}

/// Reads the parts of each line, such as `discount -5.00, booking 2.00 / VAT 1.74 (moved +0.01)`, and puts the base
/// before them.
fn parts_of_lines(cell: &str, rules: &PriceRules, lines: &[OrderLine]) -> Option<Vec<Vec<PricePart>>> {
    let cells: Vec<&str> = cell.split(" / ").collect();
    if cells.len() != lines.len() {
        return None;
    }
    let pairs = cells.into_iter().zip(lines);
    pairs.map(|(cell, line)| parts_of_line(cell, rules, line)).collect()
}

fn parts_of_line(cell: &str, rules: &PriceRules, line: &OrderLine) -> Option<Vec<PricePart>> {
    let amount = line.unit_price.times(line.quantity).ok()?;
    let mut parts = vec![PricePart::Base { amount }];
    if cell != "-" {
        for text in cell.split(", ") {
            parts.push(part(text, rules, line)?);
        }
    }
    Some(parts)
}

/// Reads one part. Its name leads to the fee or tax, which says the rest.
fn part(text: &str, rules: &PriceRules, line: &OrderLine) -> Option<PricePart> {
    let (text, moved) = match text.split_once(" (moved ") {
        Some((text, moved)) => (text, money(moved.strip_suffix(')')?)?.amount),
        None => (text, 0),
    };
    let (name, amount) = text.split_once(' ')?;
    let amount = money(amount)?;
    if let Some(tax) = rules.taxes.iter().find(|tax| tax.name.as_str() == name) {
        return Some(PricePart::Tax {
            tax_id: tax.tax_id,
            name: tax.name.clone(),
            rate: tax.rules.rate,
            included: tax.rules.included,
            amount,
            moved,
        });
    }
    if moved != 0 {
        return None;
    }
    if name == "discount" {
        let code = line.code.clone();
        return Some(PricePart::Discount { code, amount });
    }
    let fee = rules.fees.iter().find(|fee| fee.name.as_str() == name)?;
    Some(PricePart::Fee {
        fee_id: fee.fee_id,
        name: fee.name.clone(),
        per: fee.rules.per,
        included: fee.rules.included,
        amount,
    })
}

/// Reads a percentage, such as `8.875 %`.
fn percent(text: &str) -> Option<Percent> {
    text.strip_suffix(" %")?.parse().ok()
}

/// Reads an amount with two decimals, such as `25.00`, `-5.00`, `+0.01` or `10,000,000.00`.
fn money(text: &str) -> Option<Money> {
    let (whole, cents) = text.split_once('.')?;
    if cents.len() != 2 {
        return None;
    }
    let digits = format!("{}{cents}", whole.replace(',', ""));
    Some(Money::new(digits.parse().ok()?, Currency::EUR))
}

fn id(kind: u64, index: usize) -> Uuid {
    Uuid::from_u64_pair(kind, index as u64)
}
