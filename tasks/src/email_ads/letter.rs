//! The text of the mail, in Korean and English.

use jiff::{Timestamp, tz::Offset};
use shop::{arrival::Expected, product::Product};

use super::{Action, Request};

/// Korea has one time and no summer time.
const KOREA: Offset = Offset::constant(9);

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// The subject.
    pub(super) subject: String,
    /// The body, plain text.
    pub(super) body: String,
}

/// One line in both languages.
struct Line {
    korean: (&'static str, String),
    english: (&'static str, String),
}

/// Writes the mail; `expected` is when the next delivery may be there, by the last ones. Figures that are not known are
/// left out, except for the delivery, of which a reader would otherwise think the worst.
pub(super) fn write(request: &Request, product: &Product, expected: Option<Expected>) -> Letter {
    let name = format!("{} ({})", product.name, product.product_id);
    let (subject, korean, english) = match request.action {
        Action::Stop => (
            format!("광고 중단 요청 / Please stop the ads: {name}"),
            "재고가 부족하여 공장에 추가 생산을 요청했습니다. 재입고 안내 메일을 받을 때까지 광고를 중단해 주세요.",
            "The product is out of stock and the factory was asked for more. Please stop its ads until we write that it is back.",
        ),
        Action::Resume => (
            format!("광고 재개 안내 / The ads may resume: {name}"),
            "상품이 다시 입고되었습니다. 광고를 재개하셔도 됩니다.",
            "The product is back in stock. Its ads may resume.",
        ),
    };
    let mut lines = vec![
        count("현재 재고", "In stock", request.stock),
        count("부족 수량", "Missing", request.missing),
    ];
    match request.action {
        Action::Stop => {
            lines.push(count(
                "공장 요청 수량",
                "Asked of the factory",
                request.quantity,
            ));
            lines.push(Some(delivery(expected)));
        }
        Action::Resume => lines.push(count("입고 수량", "Arrived", request.quantity)),
    }
    let lines: Vec<Line> = lines.into_iter().flatten().collect();
    let list = |of: fn(&Line) -> &(&'static str, String)| -> String {
        let lines = lines.iter().map(of);
        lines
            .map(|(label, value)| format!("- {label}: {value}\n"))
            .collect()
    };
    let body = format!(
        "상품: {name}\n{}\n{korean}\n\n---\n\nProduct: {name}\n{}\n{english}\n\n{}\n",
        list(|line| &line.korean),
        list(|line| &line.english),
        request.reorder_id
    );
    Letter { subject, body }
}

fn count(korean: &'static str, english: &'static str, count: Option<i64>) -> Option<Line> {
    let count = count?.to_string();
    Some(Line {
        korean: (korean, count.clone()),
        english: (english, count),
    })
}

/// When the next delivery may be there, and how we know.
fn delivery(expected: Option<Expected>) -> Line {
    let (korean, english) = match expected {
        Some(expected) => {
            let at = Timestamp::from_millisecond(expected.at).unwrap_or_default();
            let in_korea = KOREA.to_datetime(at).strftime("%Y-%m-%d %H:%M");
            let (ko, en) = spoken(expected.took);
            let number = expected.deliveries;
            (
                format!("{in_korea} 무렵 (한국 시간; 최근 {number}회 입고에 걸린 시간: {ko})"),
                format!(
                    "about {} (the last {number} took {en})",
                    at.strftime("%Y-%m-%d %H:%M UTC")
                ),
            )
        }
        None => (
            "알 수 없음 (이 상품의 입고 기록이 아직 없습니다)".to_owned(),
            "not known (the factory has not delivered this product before)".to_owned(),
        ),
    };
    Line {
        korean: ("다음 입고 예정", korean),
        english: ("Next delivery", english),
    }
}

/// A length of time, as one says it, in Korean and English.
fn spoken(ms: i64) -> (String, String) {
    let minutes = ms / 60_000;
    match minutes {
        0 => ("1분 미만".to_owned(), "less than a minute".to_owned()),
        1..120 => (format!("약 {minutes}분"), format!("about {minutes} min")),
        120..2_880 => (
            format!("약 {}시간", minutes / 60),
            format!("about {} hours", minutes / 60),
        ),
        _ => (
            format!("약 {}일", minutes / 1_440),
            format!("about {} days", minutes / 1_440),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(action: Action, missing: Option<i64>, expected: Option<Expected>) -> Letter {
        let request = Request {
            task_token: "secret-token".into(),
            action,
            reorder_id: "RO-1".into(),
            product_id: "CP-1".into(),
            order_id: None,
            quantity: Some(1_500),
            stock: Some(3),
            missing,
        };
        let product = Product {
            product_id: "CP-1".into(),
            sku: "CP-1".into(),
            name: "donut".into(),
            identifier: "FF-1".into(),
            manager_email: "ads@example.com".into(),
            stock: 3,
            initial_stock: 3,
            reorder_quantity: 100,
            open_reorder: None,
        };
        write(&request, &product, expected)
    }

    fn says(letter: &Letter, texts: &[&str]) {
        for text in texts {
            assert!(letter.body.contains(text), "{text:?} in {}", letter.body);
        }
    }

    #[test]
    fn stop_says_what_is_missing_and_when_more_comes_in_both_languages() {
        let expected = Expected {
            at: 1_700_000_000_123,
            took: 3 * 3_600_000 + 1,
            deliveries: 5,
        };
        let letter = letter(Action::Stop, Some(1_497), Some(expected));
        assert_eq!(
            letter.subject,
            "광고 중단 요청 / Please stop the ads: donut (CP-1)"
        );
        says(
            &letter,
            &[
                "상품: donut (CP-1)",
                "- 현재 재고: 3\n- 부족 수량: 1497\n- 공장 요청 수량: 1500\n",
                "- 다음 입고 예정: 2023-11-15 07:13 무렵 (한국 시간; 최근 5회 입고에 걸린 시간: 약 3시간)\n",
                "광고를 중단해 주세요",
                "- In stock: 3\n- Missing: 1497\n- Asked of the factory: 1500\n",
                "- Next delivery: about 2023-11-14 22:13 UTC (the last 5 took about 3 hours)\n",
                "Please stop its ads",
                "RO-1",
            ],
        );
        assert!(!letter.body.contains("secret-token"));
    }

    #[test]
    fn a_delivery_that_cannot_be_foreseen_is_called_unknown() {
        let letter = letter(Action::Stop, Some(1), None);
        says(
            &letter,
            &[
                "- 다음 입고 예정: 알 수 없음",
                "- Next delivery: not known (the factory has not delivered this product before)",
            ],
        );
    }

    #[test]
    fn resume_leaves_out_what_is_not_known() {
        let letter = letter(Action::Resume, None, None);
        assert_eq!(
            letter.subject,
            "광고 재개 안내 / The ads may resume: donut (CP-1)"
        );
        assert!(letter.body.contains("- 입고 수량: 1500\n"));
        for absent in ["부족", "Missing", "입고 예정", "Next delivery"] {
            assert!(!letter.body.contains(absent), "{absent}");
        }
    }

    #[test]
    fn a_length_of_time_is_said_in_its_largest_unit() {
        for (ms, english) in [
            (-1, "less than a minute"),
            (59_999, "less than a minute"),
            (60_000, "about 1 min"),
            (119 * 60_000, "about 119 min"),
            (120 * 60_000, "about 2 hours"),
            (47 * 3_600_000, "about 47 hours"),
            (48 * 3_600_000, "about 2 days"),
        ] {
            assert_eq!(spoken(ms).1, english);
        }
    }
}
