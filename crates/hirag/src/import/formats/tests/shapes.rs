//! What documents of other programs look like beyond the simple ones.

use super::*;

fn texts(all: &[Entry]) -> Vec<&str> {
    all.iter().flatten().map(|new| new.text.as_str()).collect()
}

#[test]
fn a_conversation_that_has_its_id_twice_is_read() {
    let mut json = chatgpt();
    json[0]["id"] = "c-1".into();
    let all = entries("c.json", FileKind::Chatgpt, json.to_string().as_bytes()).unwrap();
    assert_eq!(all[0].as_ref().unwrap().session.as_deref(), Some("c-1"));
    json[0].as_object_mut().unwrap().remove("conversation_id");
    let all = entries("c.json", FileKind::Chatgpt, json.to_string().as_bytes()).unwrap();
    assert_eq!(all[0].as_ref().unwrap().session.as_deref(), Some("c-1"));
}

#[test]
fn an_export_in_parts_is_read_whole_and_its_bad_entries_are_told_with_their_part() {
    let part = |id: &str, text: &str| {
        let node = json!({"message": {"id": id, "author": {"role": "user"}, "content": {"parts": [text]}}});
        json!([{"title": "", "id": id, "current_node": "n", "mapping": {"n": node}}, 7]).to_string()
    };
    let parts = [part("a", "One"), part("b", "Two"), part("c", "Other")];
    let export = zipped(&[
        ("x/conversations-001.json", parts[1].as_bytes()),
        ("x/user.json", b"{}"),
        ("x/conversations-000.json", parts[0].as_bytes()),
        ("x/old/conversations-002.json", parts[2].as_bytes()),
    ]);
    let all = entries("x.zip", FileKind::Chatgpt, &export).unwrap();
    assert_eq!(texts(&all), ["One", "Two"]);
    let told = all.iter().filter_map(|entry| entry.as_ref().err());
    let told: Vec<_> = told.map(|problem| problem.message.as_str()).collect();
    assert!(
        told[0].starts_with("`x/conversations-000.json`, entry 2 ")
            && told[1].starts_with("`x/conversations-001.json`, entry 2 "),
        "{told:?}"
    );
}

#[test]
fn a_memory_that_says_its_text_twice_is_read_and_empty_names_are_none() {
    let json = json!([
        {"memory": "Tea.", "text": "Tea.", "data": "Tea.", "agent_id": "", "run_id": " "},
        {"data": "Milk."},
    ]);
    let all = entries("m.json", FileKind::Mem0, json.to_string().as_bytes()).unwrap();
    assert_eq!(texts(&all), ["Tea.", "Milk."]);
    let new = all[0].as_ref().unwrap();
    assert_eq!((&new.agent, &new.session), (&None, &None));
}

fn page(body: &str) -> String {
    let html = format!("<html><body>{body}</body></html>");
    let text = contexts("/x.html", FileKind::Html, html.as_bytes())[0]
        .text
        .clone();
    text.strip_prefix("x\n\n").unwrap_or(&text).to_owned()
}

#[test]
fn lists_and_tables_in_cells_are_words_of_their_cells_once() {
    let list = "<table><tr><td>a<ul><li>one<li>two</ul><td>b</table>";
    assert_eq!(page(list), "| a one two | b |");
    let nested =
        "<table><tr><td>a<table><tr><td>b<table><tr><td>c</table></table><tr><td>d</table>";
    assert_eq!(page(nested), "| a b c |\n| d |");
    let all = "<table><caption>T</caption><thead><tr><th>h</thead><tbody><tr><td>1</tbody><tfoot><tr><td>2</tfoot></table>";
    assert_eq!(page(all), "T\n| h |\n| 1 |\n| 2 |");
}

#[test]
fn code_in_items_keeps_its_lines_and_remarks_in_the_main_part_are_kept() {
    let item = "<ul><li>Run<pre>one\ntwo</pre>then</ul>";
    assert_eq!(page(item), "- Run\n  one\n  two\n  then");
    let asides = "<aside>menu</aside><main><p>Text.</p><aside>Remark.</aside></main>";
    assert_eq!(page(asides), "Text.\n\nRemark.");
    assert_eq!(page("<aside>menu</aside><p>Text.</p>"), "Text.");
}

#[test]
fn a_text_box_takes_nothing_from_the_paragraph_that_it_stands_in() {
    let words = |text: &str| format!("<w:r><w:t xml:space='preserve'>{text}</w:t></w:r>");
    let inner = format!(
        "<w:p><w:pPr><w:pStyle w:val='X'/></w:pPr>{}</w:p>",
        words("Box")
    );
    let body = format!(
        "<w:p><w:pPr><w:tabs><w:tab w:val='left' w:pos='1'/></w:tabs></w:pPr>{}\
        <w:r><mc:AlternateContent><mc:Choice><w:txbxContent>{inner}</w:txbxContent></mc:Choice>\
        <mc:Fallback><w:pict><w:txbxContent>{inner}</w:txbxContent></w:pict></mc:Fallback></mc:AlternateContent></w:r>\
        <w:moveFrom>{}</w:moveFrom><w:moveTo>{}</w:moveTo><w:r><w:tab/></w:r>{}</w:p>",
        words("Before "),
        words("gone"),
        words("moved"),
        words("after")
    );
    let text = &contexts("/p.docx", FileKind::Docx, &docx(&body))[0].text;
    assert_eq!(text, "The plan\n\n## Box\n\nBefore moved\tafter");
}

#[test]
fn a_table_is_read_whatever_its_head_is_long() {
    let columns: Vec<String> = (0..60).map(|n| format!("{n}{}", "列".repeat(90))).collect();
    let row = vec!["行".repeat(40); 60].join(",");
    let table = format!("{}\n{row}\n", columns.join(","));
    let all = entries("t.csv", FileKind::Csv, table.as_bytes()).unwrap();
    let new = all[0].as_ref().unwrap();
    new.validate(&LIMITS, jiff::Timestamp::MIN).unwrap();
    assert!(new.metadata.len() > 5);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    fs::write(&path, format!("a,b\n{}", "1,2\n".repeat(30_000))).unwrap();
    let settings = ImportSettings {
        max_line_bytes: 10_000,
        ..SETTINGS
    };
    let Contents::Entries(all) = reader(settings).open(&file(&path, FileKind::Csv)).unwrap() else {
        panic!("a stream");
    };
    assert_eq!(all.filter(Result::is_ok).count(), 30_000);
}

#[test]
fn what_stands_on_every_page_goes_and_headings_and_paragraphs_with_numbers_stay() {
    let number = ["1", "2", "3"];
    let texts: Vec<[String; 4]> = number
        .iter()
        .map(|n| {
            [
                format!("Page {n} of 3"),
                format!("River {n}"),
                format!("Paragraph {n} begins here and"),
                format!("{n}0 {n}4 {n}8"),
            ]
        })
        .collect();
    let pages: Vec<_> = texts
        .iter()
        .map(|[page, heading, first, figures]| {
            vec![
                (50, 780, 18, heading.as_str()),
                (50, 740, 11, first.as_str()),
                (50, 726, 11, "goes on here."),
                (50, 600, 11, figures.as_str()),
                (290, 30, 9, page.as_str()),
            ]
        })
        .collect();
    let all = contexts("/r.pdf", FileKind::Pdf, &pdf(&pages, None));
    let own: Vec<_> = all
        .iter()
        .map(|new| new.text.trim_start_matches("The report\n\n"))
        .collect();
    let wanted: Vec<_> = number
        .iter()
        .map(|n| {
            format!("# River {n}\n\nParagraph {n} begins here and goes on here.\n\n{n}0 {n}4 {n}8")
        })
        .collect();
    assert_eq!(own, wanted);
}
