/// What is known of a file's labels and controls, judged at its end.
struct ViewLint: Sendable {
    struct Control: Sendable {
        let element: String
        let id: String?
        let offset: Int
    }

    var labelled: Set<String> = []
    var controls: [Control] = []
}

extension ViewScanner {
    /// Looks at an element whose start tag is complete.
    mutating func checkElement() {
        let offset: Int = state.nameOffset
        checkID(at: offset)
        switch state.name {
        case "img" where attribute("alt") == nil:
            report("an image needs an alt text, empty when it only decorates", at: offset)
        case "button" where attribute("type") == nil:
            report("a button needs a type: submit, button or reset", at: offset)
        case "label":
            if let target = attribute("for") { lint.labelled.insert(target.value) }
        case "input", "select", "textarea": checkControl(at: offset)
        case "a" where attribute("target")?.value == "_blank" && attribute("rel") == nil:
            report("a link with target=\"_blank\" needs rel=\"noopener\"", at: offset)
        case "meta": checkMeta(at: offset)
        default: break
        }
    }

    private mutating func checkID(at offset: Int) {
        guard let id = attribute("id") else { return }
        if state.ids[id.value] != nil {
            report("the id '\(id.value)' is there twice in this file", at: id.offset)
        }
        if loopDepth > 0, !id.hasOutput {
            report("the id '\(id.value)' repeats with the loop it stands in", at: id.offset)
        }
        state.ids[id.value] = id.offset
    }

    private mutating func checkControl(at offset: Int) {
        if state.name == "input" {
            let type: String = attribute("type")?.value.lowercased() ?? "text"
            if type == "hidden", attribute("name")?.value == "_csrf" {
                for index in state.open.indices { state.open[index].needsToken = false }
            }
            if ["hidden", "submit", "button", "reset"].contains(type) { return }
            if type == "image" {
                if attribute("alt") == nil {
                    report("an image needs an alt text, empty when it only decorates", at: offset)
                }
                return
            }
        }
        if attribute("aria-label") != nil || attribute("aria-labelledby") != nil { return }
        if state.open.contains(where: { $0.name == "label" }) { return }
        lint.controls.append(ViewLint.Control(element: state.name, id: attribute("id")?.value, offset: offset))
    }

    private mutating func checkMeta(at offset: Int) {
        guard attribute("http-equiv")?.value.lowercased() == "refresh", let content = attribute("content") else {
            return
        }
        if content.hasOutput { report("no output may stand in a refresh", at: content.offset) }
    }

    /// What only the end of the file shows.
    mutating func finish(at end: Int) {
        for control in lint.controls where !lint.labelled.contains(control.id ?? "\u{0}") {
            report(
                "<\(control.element)> needs a label: <label for> with its id, a <label> around it, or aria-label",
                at: control.offset)
        }
        lint.controls = []
    }
}
