//! The description as a page for people. It needs nothing from elsewhere, and no script.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::pages::escape;

/// How it looks: paper and ink, as the interface.
pub(super) const STYLE: &str = include_str!("docs.css");

/// The page for a description.
pub(super) fn page(api: &Value) -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>HTTP interface · HiRAG Studio</title>\
         <link rel=\"stylesheet\" href=\"/docs.css\"></head><body><main><h1>HTTP interface</h1>",
    );
    put(
        &mut page,
        format_args!("{}", paragraphs(&text(&api["info"]["description"]))),
    );
    page.push_str("<p>For programs: <a href=\"/openapi.json\">openapi.json</a></p><nav><ul>");
    let all: Vec<Operation<'_>> = operations(api).collect();
    for one in &all {
        let (name, method, path) = (one.anchor(), &one.method, escape(one.path));
        let summary = escape(&text(&one.what["summary"]));
        put(
            &mut page,
            format_args!("<li><a href=\"#{name}\"><code>{method} {path}</code></a> {summary}</li>"),
        );
    }
    page.push_str("</ul></nav>");
    for one in &all {
        one.tell(&mut page);
    }
    page.push_str("<h2>Types</h2>");
    for (name, schema) in entries(&api["components"]["schemas"]) {
        put(
            &mut page,
            format_args!("<section id=\"type-{name}\"><h3>{name}</h3>"),
        );
        page.push_str(&paragraphs(&text(&schema["description"])));
        page.push_str(&fields(schema));
        page.push_str("</section>");
    }
    page.push_str("</main></body></html>");
    page
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    what: &'a Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        escape(&text(&self.what["operationId"])) + "-" + &self.method
    }

    fn tell(&self, page: &mut String) {
        let (name, method, path) = (self.anchor(), &self.method, escape(self.path));
        let summary = escape(&text(&self.what["summary"]));
        put(
            page,
            format_args!(
                "<section id=\"{name}\"><h2>{summary}</h2><p><code>{method} {path}</code></p>"
            ),
        );
        page.push_str(&paragraphs(&text(&self.what["description"])));
        let parameters = self.what["parameters"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if !parameters.is_empty() {
            page.push_str("<table><caption>Parameters</caption>");
            for one in parameters {
                let needed = if one["required"] == true {
                    "needed"
                } else {
                    ""
                };
                row(
                    page,
                    &text(&one["name"]),
                    &kind(&one["schema"]),
                    &[
                        &text(&one["in"]),
                        needed,
                        &text(&one["description"]),
                        &limits(&one["schema"]),
                    ],
                );
            }
            page.push_str("</table>");
        }
        let body = &self.what["requestBody"]["content"]["application/json"]["schema"];
        if !body.is_null() {
            put(page, format_args!("<p>Body: {}</p>", kind(body)));
        }
        page.push_str("<table><caption>Answers</caption>");
        for (status, answer) in entries(&self.what["responses"]) {
            let content = entries(&answer["content"]).next();
            let body = content
                .map(|(_, content)| kind(&content["schema"]))
                .unwrap_or_default();
            row(page, status, &body, &[&text(&answer["description"])]);
        }
        page.push_str("</table></section>");
    }
}

fn operations(api: &Value) -> impl Iterator<Item = Operation<'_>> {
    entries(&api["paths"]).flat_map(|(path, item)| {
        let methods = entries(item).filter(|(_, what)| what.is_object());
        methods.map(move |(method, what)| Operation {
            method: method.to_uppercase(),
            path,
            what,
        })
    })
}

/// The fields of an object, or the values of an enumeration.
fn fields(schema: &Value) -> String {
    let mut told = String::new();
    for part in ["allOf", "oneOf", "anyOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            match one["properties"].is_object() {
                true => told.push_str(&fields(one)),
                false => put(
                    &mut told,
                    format_args!("<p>{}: {}</p>", label(part), kind(one)),
                ),
            }
        }
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .map(|value| escape(&value.to_string()))
            .collect();
        put(
            &mut told,
            format_args!("<p><code>{}</code></p>", values.join("</code> <code>")),
        );
    }
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        told.push_str("<table>");
        for (name, field) in properties {
            let needed = if required.iter().any(|one| one == name) {
                "needed"
            } else {
                ""
            };
            row(
                &mut told,
                name,
                &kind(field),
                &[needed, &text(&field["description"]), &limits(field)],
            );
        }
        told.push_str("</table>");
    }
    told
}

fn label(part: &str) -> &'static str {
    match part {
        "allOf" => "With",
        _ => "Either",
    }
}

/// The type of a value, with a link where it has a name; HTML.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = escape(name.rsplit('/').next().unwrap_or_default());
        return format!("<a href=\"#type-{name}\">{name}</a>");
    }
    for part in ["oneOf", "anyOf", "allOf"] {
        if let Some(each) = schema[part].as_array() {
            let each: Vec<String> = each.iter().map(kind).collect();
            return each.join(" or ");
        }
    }
    let named = match &schema["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ => "anything".to_owned(),
    };
    match schema["items"].is_object() {
        true => format!("{} of {}", escape(&named), kind(&schema["items"])),
        false => escape(&named),
    }
}

/// What a value must keep to, and an example.
fn limits(schema: &Value) -> String {
    let names = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("minItems", "entries at least"),
        ("maxItems", "entries at most"),
        ("format", "as"),
        ("example", "e.g."),
    ];
    let told = names.iter().filter_map(|(key, name)| {
        let value = schema.get(key)?;
        Some(format!("{name} {value}"))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// A row: a name, a type in HTML, and what there is to say of it.
fn row(page: &mut String, name: &str, kind: &str, said: &[&str]) {
    let said: Vec<String> = said
        .iter()
        .filter(|text| !text.is_empty())
        .map(|text| marked(text))
        .collect();
    put(
        page,
        format_args!(
            "<tr><th scope=\"row\"><code>{}</code></th><td>{kind}</td><td>{}</td></tr>",
            escape(name),
            said.join(" · ")
        ),
    );
}

fn paragraphs(text: &str) -> String {
    let parts = text.split("\n\n").filter(|part| !part.trim().is_empty());
    parts
        .map(|part| format!("<p>{}</p>", marked(part)))
        .collect()
}

/// Text as HTML, with what stands between backticks as code.
fn marked(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let shown = parts.map(|(place, part)| match place % 2 {
        0 => escape(part),
        _ => format!("<code>{}</code>", escape(part)),
    });
    shown.collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let entries = value.as_object().into_iter().flat_map(Map::iter);
    entries.map(|(name, value)| (name.as_str(), value))
}

/// Writing to a text cannot fail.
fn put(page: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = page.write_fmt(words);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_described_is_text_and_never_markup() {
        let api = json!({
            "info": { "description": "a `code` & <b>" },
            "paths": { "/a/{id}": { "get": {
                "operationId": "read",
                "summary": "Read <script>",
                "parameters": [{ "name": "id", "in": "path", "required": true,
                    "description": "\"quoted\"", "schema": { "type": "string", "maxLength": 5 } }],
                "responses": { "200": { "description": "ok", "content": {
                    "application/json": { "schema": { "$ref": "#/components/schemas/Thing" } } } } },
            } } },
            "components": { "schemas": { "Thing": {
                "properties": { "name": { "type": ["string", "null"] } }, "required": ["name"],
            } } },
        });
        let page = page(&api);
        assert!(
            !page.contains("<script>") && !page.contains("<b>"),
            "{page}"
        );
        assert!(page.contains("a <code>code</code> &amp; &lt;b&gt;"));
        assert!(page.contains("<code>GET /a/{id}</code>"));
        assert!(page.contains("<a href=\"#type-Thing\">Thing</a>"));
        assert!(page.contains("characters at most 5"));
        assert!(page.contains("string or null"));
    }
}
