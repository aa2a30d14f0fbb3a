//! The functions, as DataFusion sees them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};
use dragnet::Report;
use dragnet::arrow::{Column, patterns_type, spans_type};

use crate::rules::{RuleSet, RuleSets};

/// What a function returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Any,
    Which,
    Count,
    Spans,
    Redact,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] =
        [Kind::Any, Kind::Which, Kind::Count, Kind::Spans, Kind::Redact];
}

/// One function over a collection of rule sets.
#[derive(Debug)]
pub(crate) struct Function {
    kind: Kind,
    rules: Arc<RuleSets>,
    signature: Signature,
}

impl Function {
    pub(crate) fn new(kind: Kind, rules: Arc<RuleSets>) -> Function {
        Function { kind, rules, signature: Signature::user_defined(Volatility::Immutable) }
    }
}

// Functions with other rule sets give other results.
impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.kind == other.kind && Arc::ptr_eq(&self.rules, &other.rules)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.kind.hash(state);
        Arc::as_ptr(&self.rules).hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        match self.kind {
            Kind::Any => "dragnet_any",
            Kind::Which => "dragnet_which",
            Kind::Count => "dragnet_count",
            Kind::Spans => "dragnet_spans",
            Kind::Redact => "dragnet_redact",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [text, rules] = types else {
            return plan_err!("{} has two arguments: the text and the rules", self.name());
        };
        Ok(vec![text_type(text)?, rules_type(rules)?])
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match self.kind {
            Kind::Any => DataType::Boolean,
            Kind::Which => patterns_type(),
            Kind::Count => DataType::UInt64,
            Kind::Spans => spans_type(),
            Kind::Redact => match types {
                [text, ..] => text.clone(),
                [] => DataType::Null,
            },
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // Finds errors in the rules before anything runs. A list is no constant yet when its query is
        // first checked, and is one when the query has been simplified.
        if let [_, Some(rules)] = args.scalar_arguments {
            self.rules.resolve(rules)?;
        }
        let types: Vec<_> = args.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name(), self.return_type(&types)?, true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [text, rules] = &args.args[..] else {
            return exec_err!("{} has two arguments: the text and the rules", self.name());
        };
        let ColumnarValue::Scalar(rules) = rules else {
            return exec_err!("the rules of {} must be constant", self.name());
        };
        let rules = self.rules.resolve(rules)?;
        match text {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(self.scan(array, &rules)?)),
            ColumnarValue::Scalar(value) => {
                let found = self.scan(&value.to_array()?, &rules)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?))
            }
        }
    }
}

impl Function {
    fn scan(&self, text: &dyn Array, rules: &RuleSet) -> Result<ArrayRef> {
        let report = match self.kind {
            Kind::Any | Kind::Which => Report::Patterns,
            Kind::Count | Kind::Spans | Kind::Redact => Report::Spans,
        };
        rules.search(report, |search| {
            let column = Column::new(text)?;
            Ok(match self.kind {
                Kind::Any => Arc::new(search.scanner.is_match(&column)?) as ArrayRef,
                Kind::Which => Arc::new(search.scanner.patterns(&column)?),
                Kind::Count => {
                    let mut counts = vec![0; column.len()];
                    search.scanner.for_each_match(&column, |row, _| counts[row] += 1)?;
                    Arc::new(UInt64Array::new(counts.into(), column.nulls().cloned()))
                }
                Kind::Spans => Arc::new(search.scanner.spans(&column)?),
                Kind::Redact => search.scanner.redact(&column, &mut search.redactor)?,
            })
        })
    }
}

/// The type that a text is cast to.
fn text_type(given: &DataType) -> Result<DataType> {
    match given {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(given.clone()),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Ok(given.clone()),
        DataType::Dictionary(_, values) => text_type(values),
        DataType::Null => Ok(DataType::Utf8),
        _ => plan_err!("a column of type {given} has no strings or bytes to search"),
    }
}

/// The type that rules are cast to: a name, or a list of patterns.
fn rules_type(given: &DataType) -> Result<DataType> {
    match given {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Ok(DataType::Utf8),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _)
            if item.data_type().is_string() || item.data_type().is_null() =>
        {
            Ok(DataType::new_list(DataType::Utf8, true))
        }
        _ => plan_err!("the rules must be a name or a list of patterns, not of type {given}"),
    }
}
