//! The text of the mail, in Korean and English.

use shop::product::Product;

use super::{Action, Request};

/// A mail's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// The subject.
    pub(super) subject: String,
    /// The body, plain text.
    pub(super) body: String,
}

/// Writes the mail. Figures that are not known are left out.
pub(super) fn write(request: &Request, product: &Product) -> Letter {
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
    let quantity = match request.action {
        Action::Stop => ("공장 요청 수량", "Asked of the factory"),
        Action::Resume => ("입고 수량", "Arrived"),
    };
    let figures = [
        (("현재 재고", "In stock"), request.stock),
        (("부족 수량", "Missing"), request.missing),
        (quantity, request.quantity),
    ];
    let lines = |korean: bool| -> String {
        let known = figures
            .iter()
            .filter_map(|(labels, figure)| figure.map(|n| (labels, n)));
        known
            .map(|(labels, n)| format!("- {}: {n}\n", if korean { labels.0 } else { labels.1 }))
            .collect()
    };
    let body = format!(
        "상품: {name}\n{}\n{korean}\n\n---\n\nProduct: {name}\n{}\n{english}\n\n{}\n",
        lines(true),
        lines(false),
        request.reorder_id
    );
    Letter { subject, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(action: Action, missing: Option<i64>) -> Letter {
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
        write(&request, &product)
    }

    #[test]
    fn stop_says_what_is_missing_in_both_languages() {
        let letter = letter(Action::Stop, Some(1_497));
        assert_eq!(
            letter.subject,
            "광고 중단 요청 / Please stop the ads: donut (CP-1)"
        );
        for text in [
            "상품: donut (CP-1)",
            "- 현재 재고: 3\n- 부족 수량: 1497\n- 공장 요청 수량: 1500\n",
            "광고를 중단해 주세요",
            "- In stock: 3\n- Missing: 1497\n- Asked of the factory: 1500\n",
            "Please stop its ads",
            "RO-1",
        ] {
            assert!(letter.body.contains(text), "{text:?} in {}", letter.body);
        }
        assert!(!letter.body.contains("secret-token"));
    }

    #[test]
    fn resume_leaves_out_what_is_not_known() {
        let letter = letter(Action::Resume, None);
        assert_eq!(
            letter.subject,
            "광고 재개 안내 / The ads may resume: donut (CP-1)"
        );
        assert!(letter.body.contains("- 입고 수량: 1500\n"));
        assert!(!letter.body.contains("부족") && !letter.body.contains("Missing"));
    }
}
