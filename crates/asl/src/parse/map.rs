//! Map states.

use serde_json::Value;

use super::Builder;
use super::state::Reader;
use crate::model::{Dynamic, Items, MapState, QueryLanguage, Template};

/// The fields that only Map states have.
pub(super) const FIELDS: &[&str] = &[
    "ItemProcessor",
    "Iterator",
    "Items",
    "ItemsPath",
    "ItemSelector",
    "Parameters",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "ToleratedFailureCount",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentage",
    "ToleratedFailurePercentagePath",
    "ItemReader",
    "ItemBatcher",
    "ResultWriter",
    "Label",
];

impl Builder<'_> {
    pub(super) fn map(&mut self, reader: &Reader<'_, '_>) -> Option<MapState> {
        let fields = &reader.fields;
        let owner = match (fields.has("ItemProcessor"), fields.has("Iterator")) {
            (true, false) => "ItemProcessor",
            (false, true) => "Iterator",
            (true, true) => {
                self.schema(
                    &fields.pointer,
                    "Only one of 'ItemProcessor' and 'Iterator' can be used",
                );
                return None;
            }
            (false, false) => {
                self.schema(
                    &fields.pointer,
                    "These fields are required: [ItemProcessor]",
                );
                return None;
            }
        };
        let processor = self.fields(fields.get(owner)?, &fields.at(owner))?;
        self.known(
            &processor,
            &["StartAt", "States", "ProcessorConfig", "Comment"],
        );
        let distributed = match self.processor_config(&processor) {
            Some(express) => Some(Box::new(self.distributed(reader, &processor, express))),
            None => {
                self.not_distributed(fields);
                None
            }
        };
        let processor = self.scope(&processor, reader.around.language);
        let language = reader.language;
        let items = match language {
            QueryLanguage::Jsonata => self
                .template(fields, "Items", language)
                .map_or(Items::Input, Items::Selected),
            QueryLanguage::JsonPath => match fields.get("ItemsPath") {
                None => Items::Input,
                Some(Value::String(whole)) if whole == "$" => Items::Input,
                Some(_) => self.path(fields, "ItemsPath").map_or(Items::Input, |path| {
                    Items::Selected(Template::Dynamic(Dynamic::Path(path)))
                }),
            },
        };
        let selector = if fields.has("ItemSelector") {
            "ItemSelector"
        } else {
            "Parameters"
        };
        Some(MapState {
            processor,
            items,
            item_selector: self.template(fields, selector, language),
            max_concurrency: self.amount(
                fields,
                "MaxConcurrency",
                0,
                u64::from(u32::MAX),
                language,
            ),
            tolerated_failure_count: self.amount(
                fields,
                "ToleratedFailureCount",
                0,
                u64::from(u32::MAX),
                language,
            ),
            tolerated_failure_percentage: self.share(
                fields,
                "ToleratedFailurePercentage",
                language,
            ),
            distributed,
        })
    }
}
