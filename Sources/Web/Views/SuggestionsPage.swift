import Templates

/// Something that a combobox offers.
package struct Suggestion: ViewRecord {
    package let value: String
    package let label: String
    /// Tells people of the same name apart.
    package let detail: String?

    package init(value: String, label: String, detail: String? = nil) {
        self.value = value
        self.label = label
        self.detail = detail
    }

    package static let fields = Fields<Suggestion> { f in
        f.text("value") { $0.value }
        f.text("label") { $0.label }
        f.optionalText("detail") { $0.detail }
    }
}

/// What fits the words in a combobox. The combobox takes its fragment `options`; see `Views/components/combobox.html`.
package struct SuggestionsPage: ViewPage {
    /// Suggestions that are offered at most.
    package static let limit = 20

    let heading: String
    let options: [Suggestion]

    package init(heading: String, options: [Suggestion]) {
        self.heading = heading
        self.options = options
    }

    package static let view = "suggestions/index"
    package static let fields = Fields<SuggestionsPage> { f in
        f.text("heading") { $0.heading }
        f.list("options", of: Suggestion.self) { $0.options }
    }
    package static var previews: [SuggestionsPage] {
        [
            SuggestionsPage(heading: "People", options: []),
            SuggestionsPage(
                heading: "People",
                options: [
                    Suggestion(value: "1", label: "Ana Ruiz", detail: "ana@example.com"),
                    Suggestion(value: "2", label: "bo@example.com"),
                ]),
        ]
    }
}
