//! Stores as JSON.

use serde_json::{Value as Json, json};

use super::{Element, ElementValue, Object, Places, Store, StoreError, WellKnown};

impl Store<'_> {
    /// All objects with their elements.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn to_json(self, places: &dyn Places) -> Result<Json, StoreError> {
        let default = self.default_entry().ok();
        let objects = self.objects()?.into_iter().map(|object| object.to_json(places));
        Ok(json!({
            "default": default.map(|id| format!("{id:?}")),
            "objects": objects.collect::<Result<Vec<_>, _>>()?,
            "unknown_keys": self.unknown_keys()?,
        }))
    }
}

impl Object<'_> {
    /// `id`, `alias`, `type`, and the elements by ascending code.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where a record is broken.
    pub fn to_json(self, places: &dyn Places) -> Result<Json, StoreError> {
        let elements: Vec<Json> = self.elements()?.iter().map(|element| element_json(self, element, places)).collect();
        Ok(json!({
            "id": format!("{:?}", self.id()),
            "alias": WellKnown::of(self.id()).map(|known| format!("{{{}}}", known.alias)),
            "type": self.object_type().map(|known| known.to_string()),
            "elements": elements,
        }))
    }
}

/// `code`, `name`, `format`, `value`, `meaning` of a number that has a name, and `raw` as it is stored.
fn element_json(object: Object<'_>, element: &Element, places: &dyn Places) -> Json {
    let definition = object.definition(element.code);
    let value = element.value();
    let meaning = match (&value, definition) {
        (Some(ElementValue::Integer(number)), Some(definition)) => definition.value_name(*number),
        _ => None,
    };
    json!({
        "code": element.code.to_string(),
        "name": definition.and_then(|definition| definition.name),
        "format": element.code.format().to_string(),
        "value": value.as_ref().map(|value| value_json(value, places)),
        "meaning": meaning,
        "raw": element.stored.as_ref().map(|(kind, bytes)| json!({ "type": kind.to_string(), "data": hex(bytes) })),
    })
}

fn value_json(value: &ElementValue, places: &dyn Places) -> Json {
    match value {
        ElementValue::Device(device) => json!(device.shown(places).to_string()),
        ElementValue::String(text) => json!(text),
        ElementValue::Object(id) => json!(format!("{id:?}")),
        ElementValue::ObjectList(ids) => ids.iter().map(|id| format!("{id:?}")).collect(),
        ElementValue::Integer(number) => json!(number),
        ElementValue::Boolean(truth) => json!(truth),
        ElementValue::IntegerList(numbers) => json!(numbers),
        ElementValue::Binary(bytes) | ElementValue::Raw(_, bytes) => json!(hex(bytes)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
