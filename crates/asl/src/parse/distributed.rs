//! The fields of a Map state in Distributed mode.

use std::sync::Arc;

use serde_json::Value;

use super::Builder;
use super::fields::Fields;
use super::state::Reader;
use crate::model::{
    DatasetFormat, Delimiter, Distributed, InputType, ItemBatcher, ItemReader, Kind, QueryLanguage,
    ReadAction, ResultFormat, ResultWriter, Transformation,
};
use crate::{Code, Data, PAYLOAD_LIMIT};

/// Fields that only a Distributed Map has.
pub(super) const FIELDS: &[&str] = &["ItemReader", "ItemBatcher", "ResultWriter", "Label"];

/// The most characters of a label.
const LONGEST_LABEL: usize = 40;

/// The most items AWS reads from a dataset.
const MOST_ITEMS: u64 = 100_000_000;

impl Builder<'_> {
    /// The processor's `ProcessorConfig`: `Some` if it is distributed, with whether its children are Express executions.
    pub(super) fn processor_config(&mut self, processor: &Fields<'_>) -> Option<bool> {
        let config = processor.get("ProcessorConfig")?;
        let config = self.fields(config, &processor.at("ProcessorConfig"))?;
        self.known(&config, &["Mode", "ExecutionType"]);
        let express = match self.string(&config, "ExecutionType") {
            None => None,
            Some("STANDARD") => Some(false),
            Some("EXPRESS") => Some(true),
            Some(_) => {
                self.schema(
                    &config.at("ExecutionType"),
                    "Value must be one of STANDARD, EXPRESS",
                );
                None
            }
        };
        match self.string(&config, "Mode") {
            None | Some("INLINE") => None,
            Some("DISTRIBUTED") => {
                if !config.has("ExecutionType") {
                    self.schema(
                        &config.pointer,
                        "These fields are required: [ExecutionType]",
                    );
                }
                Some(express.unwrap_or(false))
            }
            Some(_) => {
                self.schema(
                    &config.at("Mode"),
                    "Value must be one of INLINE, DISTRIBUTED",
                );
                None
            }
        }
    }

    /// An inline Map has none of the fields.
    pub(super) fn not_distributed(&mut self, fields: &Fields<'_>) {
        for field in FIELDS.iter().filter(|field| fields.has(field)) {
            let message = format!("'{field}' is only supported by a Map in DISTRIBUTED mode");
            self.schema(&fields.at(field), message);
        }
    }

    pub(super) fn distributed(
        &mut self,
        reader: &Reader<'_, '_>,
        processor: &Fields<'_>,
        express: bool,
    ) -> Distributed {
        let (fields, language) = (&reader.fields, reader.language);
        let object = |this: &mut Self, field: &str| {
            let value = fields.get(field)?;
            this.fields(value, &fields.at(field))
        };
        let item_reader = object(self, "ItemReader")
            .and_then(|item_reader| self.item_reader(&item_reader, language));
        let batcher = object(self, "ItemBatcher").map(|batcher| self.batcher(&batcher, language));
        let writer =
            object(self, "ResultWriter").and_then(|writer| self.result_writer(&writer, language));
        if item_reader.is_some() {
            for items in ["ItemsPath", "Items"]
                .iter()
                .filter(|items| fields.has(items))
            {
                self.schema(
                    &fields.pointer,
                    format!("Only one of 'ItemReader' and '{items}' can be used"),
                );
            }
        }
        Distributed {
            child: child_definition(processor, reader.around.language),
            express,
            label: self.label(fields),
            reader: item_reader,
            batcher,
            writer,
        }
    }

    fn label(&mut self, fields: &Fields<'_>) -> Option<String> {
        let label = self.string(fields, "Label")?;
        let forbidden =
            |c: char| c.is_whitespace() || c.is_control() || "?*<>{}[]:;,\\|^~$#%&`\"/".contains(c);
        if label.is_empty() || label.chars().count() > LONGEST_LABEL || label.chars().any(forbidden)
        {
            let message = format!(
                "Label must have 1 to {LONGEST_LABEL} characters, without blanks, wildcards, brackets and special characters"
            );
            self.error(Code::InvalidLabelName, &fields.at("Label"), message, None);
        }
        Some(label.to_owned())
    }

    fn item_reader(&mut self, fields: &Fields<'_>, language: QueryLanguage) -> Option<ItemReader> {
        let arguments = arguments_field(language);
        self.known(fields, &["Resource", "ReaderConfig", arguments, "Comment"]);
        self.require(fields, &["Resource"]);
        let action = match s3_action(self.string(fields, "Resource")?) {
            Some("getObject") => ReadAction::GetObject,
            Some("listObjectsV2") => ReadAction::ListObjectsV2,
            _ => {
                self.unsupported(
                    &fields.at("Resource"),
                    "Items can be read with s3:getObject and s3:listObjectsV2 only",
                    "Use arn:aws:states:::s3:getObject or arn:aws:states:::s3:listObjectsV2.",
                );
                return None;
            }
        };
        let config = fields
            .get("ReaderConfig")
            .and_then(|config| self.fields(config, &fields.at("ReaderConfig")));
        let nothing = serde_json::Map::new();
        let config = config.unwrap_or_else(|| Fields {
            map: &nothing,
            pointer: fields.at("ReaderConfig"),
        });
        let format = self.dataset_format(&config, action);
        let max_items = self.amount(&config, "MaxItems", 0, MOST_ITEMS, language);
        Some(ItemReader {
            action,
            arguments: self.template(fields, arguments, language),
            format,
            max_items,
        })
    }

    fn dataset_format(&mut self, config: &Fields<'_>, action: ReadAction) -> DatasetFormat {
        self.known(
            config,
            &[
                "InputType",
                "CSVDelimiter",
                "CSVHeaderLocation",
                "CSVHeaders",
                "MaxItems",
                "MaxItemsPath",
                "ItemsPointer",
                "Transformation",
                "ManifestType",
            ],
        );
        let load = match self.string(config, "Transformation") {
            None | Some("NONE") => false,
            Some("LOAD_AND_FLATTEN") => true,
            Some(_) => {
                self.schema(
                    &config.at("Transformation"),
                    "Value must be one of NONE, LOAD_AND_FLATTEN",
                );
                false
            }
        };
        if (action == ReadAction::GetObject || load) && !config.has("InputType") {
            self.schema(&config.pointer, "These fields are required: [InputType]");
        }
        let input_type = self
            .string(config, "InputType")
            .and_then(|word| match word {
                "JSON" => Some(InputType::Json),
                "JSONL" => Some(InputType::JsonLines),
                "CSV" => Some(InputType::Csv),
                "MANIFEST" | "PARQUET" => {
                    self.unsupported(
                        &config.at("InputType"),
                        format!("The input type {word} is not supported yet"),
                        "Use JSON, JSONL or CSV.",
                    );
                    None
                }
                _ => {
                    self.schema(
                        &config.at("InputType"),
                        "Value must be one of CSV, JSON, JSONL, PARQUET, MANIFEST",
                    );
                    None
                }
            });
        let delimiter = match self.string(config, "CSVDelimiter") {
            None | Some("COMMA") => Delimiter::Comma,
            Some("PIPE") => Delimiter::Pipe,
            Some("SEMICOLON") => Delimiter::Semicolon,
            Some("SPACE") => Delimiter::Space,
            Some("TAB") => Delimiter::Tab,
            Some(_) => {
                self.schema(
                    &config.at("CSVDelimiter"),
                    "Value must be one of COMMA, PIPE, SEMICOLON, SPACE, TAB",
                );
                Delimiter::Comma
            }
        };
        DatasetFormat {
            input_type,
            delimiter,
            headers: self.csv_headers(config, input_type),
            items_pointer: self.items_pointer(config),
            load,
        }
    }

    fn csv_headers(
        &mut self,
        config: &Fields<'_>,
        input_type: Option<InputType>,
    ) -> Option<Vec<String>> {
        match self.string(config, "CSVHeaderLocation") {
            None => {
                if input_type == Some(InputType::Csv) {
                    self.schema(
                        &config.pointer,
                        "These fields are required: [CSVHeaderLocation]",
                    );
                }
                None
            }
            Some("FIRST_ROW") => None,
            Some("GIVEN") => {
                self.require(config, &["CSVHeaders"]);
                let headers = self.array(config, "CSVHeaders")?;
                if headers.iter().any(|header| !header.is_string()) {
                    self.wrong_type(&config.at("CSVHeaders"), "Array of Strings");
                }
                let text = |header: &Value| header.as_str().unwrap_or_default().to_owned();
                Some(headers.iter().map(text).collect())
            }
            Some(_) => {
                self.schema(
                    &config.at("CSVHeaderLocation"),
                    "Value must be one of FIRST_ROW, GIVEN",
                );
                None
            }
        }
    }

    fn items_pointer(&mut self, config: &Fields<'_>) -> Option<String> {
        let pointer = self.string(config, "ItemsPointer")?;
        if !pointer.starts_with('/') {
            self.schema(
                &config.at("ItemsPointer"),
                "Value must be a JSON Pointer, such as /items",
            );
        }
        Some(pointer.to_owned())
    }

    fn batcher(&mut self, fields: &Fields<'_>, language: QueryLanguage) -> ItemBatcher {
        self.known(
            fields,
            &[
                "MaxItemsPerBatch",
                "MaxItemsPerBatchPath",
                "MaxInputBytesPerBatch",
                "MaxInputBytesPerBatchPath",
                "BatchInput",
            ],
        );
        let max_items = self.amount(fields, "MaxItemsPerBatch", 1, MOST_ITEMS, language);
        let most_bytes = PAYLOAD_LIMIT as u64;
        let max_bytes = self.amount(fields, "MaxInputBytesPerBatch", 1, most_bytes, language);
        let limits = [
            "MaxItemsPerBatch",
            "MaxItemsPerBatchPath",
            "MaxInputBytesPerBatch",
            "MaxInputBytesPerBatchPath",
        ];
        if !limits.iter().any(|limit| fields.has(limit)) {
            self.schema(
                &fields.pointer,
                "These fields are required: [MaxItemsPerBatch or MaxInputBytesPerBatch]",
            );
        }
        ItemBatcher {
            max_items,
            max_bytes,
            input: self.template(fields, "BatchInput", language),
        }
    }

    fn result_writer(
        &mut self,
        fields: &Fields<'_>,
        language: QueryLanguage,
    ) -> Option<ResultWriter> {
        let arguments = arguments_field(language);
        self.known(fields, &["Resource", "WriterConfig", arguments, "Comment"]);
        let exported = fields.has("Resource") || fields.has(arguments);
        if exported {
            self.require(fields, &["Resource", arguments]);
            if let Some(resource) = self.string(fields, "Resource")
                && s3_action(resource) != Some("putObject")
            {
                self.unsupported(
                    &fields.at("Resource"),
                    "Results can be written with s3:putObject only",
                    "Use arn:aws:states:::s3:putObject.",
                );
                return None;
            }
        }
        let config = fields
            .get("WriterConfig")
            .and_then(|config| self.fields(config, &fields.at("WriterConfig")));
        if !exported && config.is_none() {
            self.schema(
                &fields.pointer,
                format!("These fields are required: [WriterConfig, or Resource and {arguments}]"),
            );
        }
        let mut format = ResultFormat {
            transformation: if exported {
                Transformation::None
            } else {
                Transformation::Compact
            },
            lines: false,
        };
        if let Some(config) = config {
            self.known(&config, &["Transformation", "OutputType"]);
            match self.string(&config, "Transformation") {
                None => {}
                Some("NONE") => format.transformation = Transformation::None,
                Some("COMPACT") => format.transformation = Transformation::Compact,
                Some("FLATTEN") => format.transformation = Transformation::Flatten,
                Some(_) => self.schema(
                    &config.at("Transformation"),
                    "Value must be one of NONE, COMPACT, FLATTEN",
                ),
            }
            match self.string(&config, "OutputType") {
                None | Some("JSON") => {}
                Some("JSONL") => format.lines = true,
                Some(_) => {
                    self.schema(&config.at("OutputType"), "Value must be one of JSON, JSONL")
                }
            }
        }
        let arguments = if exported {
            let nothing = || crate::model::Template::Literal(Data::empty());
            Some(
                self.template(fields, arguments, language)
                    .unwrap_or_else(nothing),
            )
        } else {
            None
        };
        Some(ResultWriter { arguments, format })
    }

    /// Labels are unique in a definition, as they name the children's state machine.
    pub(super) fn check_labels(&mut self) {
        let mut known: Vec<&str> = Vec::new();
        let mut twice = Vec::new();
        for state in self.states.iter().flatten() {
            let Kind::Map(map) = &state.kind else {
                continue;
            };
            let label = map.distributed.as_ref().and_then(|it| it.label.as_deref());
            let Some(label) = label else { continue };
            if known.contains(&label) {
                twice.push((format!("{}/Label", state.pointer), label.to_owned()));
            }
            known.push(label);
        }
        for (pointer, label) in twice {
            let message = format!("Label '{label}' is used more than once");
            self.error(Code::DuplicateLabelName, &pointer, message, None);
        }
    }
}

/// The processor as the definition of a state machine of its own.
fn child_definition(processor: &Fields<'_>, language: QueryLanguage) -> Arc<str> {
    let mut child = processor.map.clone();
    child.shift_remove("ProcessorConfig");
    if language == QueryLanguage::Jsonata {
        child.insert("QueryLanguage".to_owned(), "JSONata".into());
    }
    Arc::from(Value::Object(child).to_string())
}

fn arguments_field(language: QueryLanguage) -> &'static str {
    match language {
        QueryLanguage::JsonPath => "Parameters",
        QueryLanguage::Jsonata => "Arguments",
    }
}

/// The action of `arn:aws:states:::s3:ACTION`.
fn s3_action(arn: &str) -> Option<&str> {
    let rest = arn.strip_prefix("arn:")?;
    let (_partition, rest) = rest.split_once(':')?;
    rest.strip_prefix("states:::s3:")
}
