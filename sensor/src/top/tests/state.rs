//! What keys do.

use ratatui::crossterm::event::KeyCode::{Backspace, Down, End, Enter, Esc, Home, Up};

use super::*;

fn ids(view: &View) -> Vec<Id> {
    view.lists
        .main
        .rows
        .iter()
        .map(|row| row.id.clone())
        .collect()
}

#[test]
fn columns_are_sorted_by_in_turn_and_both_ways() {
    let mut view = View::new();
    view.press("2");
    assert_eq!(view.state.table().column, Column::Long);
    view.press(">");
    assert_eq!(view.state.table().column, Column::Total);
    let totals: Vec<u64> = view
        .lists
        .main
        .rows
        .iter()
        .map(|row| row.both().total.bytes)
        .collect();
    assert!(totals.is_sorted_by(|a, b| a >= b), "{totals:?}");
    view.press("S");
    let rising: Vec<u64> = view
        .lists
        .main
        .rows
        .iter()
        .map(|row| row.both().total.bytes)
        .collect();
    assert!(
        rising.is_sorted() && rising.len() == totals.len(),
        "{rising:?}"
    );
    view.press(">");
    assert_eq!(view.state.table().column, Column::Name);
    assert!(ids(&view).is_sorted());
    view.press("<<");
    assert_eq!(view.state.table().column, Column::Long);
}

#[test]
fn the_selection_stays_with_its_row_and_the_top_stays_the_top() {
    let mut view = View::new();
    view.press("2");
    view.press_codes(&[Down, Down]);
    let chosen = ids(&view)[2].clone();
    view.press("S");
    let place = view.state.table().selected;
    assert_eq!(ids(&view)[place], chosen);
    view.press_codes(&[Home]);
    view.press("S");
    assert_eq!(view.state.table().selected, 0);
    view.press_codes(&[End, Down]);
    assert_eq!(view.state.table().selected, ids(&view).len() - 1);
    view.press_codes(&[Up]);
    assert_eq!(view.state.table().selected, ids(&view).len() - 2);
}

#[test]
fn a_filter_hides_flows_and_changes_no_count() {
    let mut view = View::new();
    let before = view.figures.total();
    view.press("4/tcp prot 443");
    let Mode::Filter(typed) = &view.state.mode else {
        panic!("it is not being typed");
    };
    assert!(typed.error.is_some());
    assert_eq!(
        view.press_codes(&[Enter]),
        Effect::Draw,
        "it must not be applied"
    );
    assert!(view.state.matching.is_none());
    view.press_codes(&[Backspace; 8]);
    view.press("port 443");
    assert_eq!(view.press_codes(&[Enter]), Effect::Lists);
    let shown = view.lists.shown.unwrap();
    assert_eq!(shown.flows, view.lists.main.rows.len());
    assert!(shown.flows < shown.all_flows && shown.flows > 0);
    assert_eq!(view.figures.total(), before);
    for row in &view.lists.main.rows {
        let Id::Flow(key) = row.id else {
            panic!("{:?}", row.id);
        };
        assert!(key.src_port() == 443 || key.dst_port() == 443);
    }
    view.press("5");
    let listed: u64 = view
        .lists
        .main
        .rows
        .iter()
        .map(|row| row.forth.total.packets)
        .sum();
    assert_eq!(
        listed, shown.counts.packets,
        "protocols are of what is shown"
    );
    assert_eq!(view.press_codes(&[Esc]), Effect::Lists);
    assert!(view.state.matching.is_none() && view.lists.shown.is_none());
}

#[test]
fn enter_leads_to_the_flows_of_a_row_and_then_to_one_of_them() {
    let mut view = View::new();
    view.press_codes(&[Down, Enter]);
    assert_eq!(view.state.tab, Tab::Flows);
    assert_eq!(
        view.state.matching.as_ref().unwrap().text(),
        "host 192.0.2.0"
    );
    assert_eq!(view.lists.main.rows.len(), 2);
    view.press_codes(&[Enter]);
    assert!(matches!(view.state.mode, Mode::Detail(_)));
    view.press_codes(&[Esc]);
    assert!(view.state.matching.is_some(), "one step back only");
    view.press("5");
    view.press_codes(&[Esc, Enter]);
    assert_eq!(view.state.tab, Tab::Flows);
}

#[test]
fn every_list_of_protocols_adds_up() {
    let mut view = View::new();
    view.press("5");
    for layer in [Layer::Application, Layer::Transport, Layer::Network] {
        assert_eq!(view.state.layer, layer);
        let total: u64 = view
            .lists
            .main
            .rows
            .iter()
            .map(|row| row.forth.total.bytes)
            .sum();
        assert_eq!(total, view.figures.total().bytes);
        view.press("l");
    }
}
