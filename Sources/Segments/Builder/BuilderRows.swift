import Contacts
import Core
import FoundationEssentials
import Templates
import Web

/// One control of a condition.
struct BuilderInput: ViewRecord {
    /// `groups`, `select`, `multi`, `text`, `number`, `date`, `lines`; `start` begins a new line, `add` and `remove` are
    /// buttons whose name is their command.
    var kind: String
    var name: String
    var label: String
    var value = ""
    var options: [SelectOption] = []
    var groups: [BuilderOptions] = []
    var suffix: String?
    var hint: String?
    var error: String?
    /// Choosing something else shows other controls.
    var refreshes = false

    static let fields = Fields<BuilderInput> { f in
        f.text("kind") { $0.kind }
        f.text("name") { $0.name }
        f.text("label") { $0.label }
        f.text("value") { $0.value }
        f.list("options", of: SelectOption.self) { $0.options }
        f.list("groups", of: BuilderOptions.self) { $0.groups }
        f.optionalText("suffix") { $0.suffix }
        f.optionalText("hint") { $0.hint }
        f.optionalText("error") { $0.error }
        f.flag("refreshes") { $0.refreshes }
    }
}

/// Options under a heading.
struct BuilderOptions: ViewRecord {
    let label: String
    let options: [SelectOption]

    static let fields = Fields<BuilderOptions> { f in
        f.text("label") { $0.label }
        f.list("options", of: SelectOption.self) { $0.options }
    }
}

/// A line of the builder. Groups are an opening and a closing line, so that a page shows any depth.
struct BuilderRow: ViewRecord {
    /// `open`, `leaf`, `close`.
    var kind: String
    var path: String
    /// Groups around it.
    var depth: Int
    var legend: String
    var match = BuilderInput(kind: "select", name: "", label: "")
    var count = 0
    var inputs: [BuilderInput] = []
    var error: String?
    var canAddGroup = false
    var canRemove = false
    /// “and”, “or”, “nor” between this part and the one before.
    var joint: String?

    static let fields = Fields<BuilderRow> { f in
        f.text("kind") { $0.kind }
        f.text("path") { $0.path }
        f.text("depth") { "\($0.depth)" }
        f.text("legend") { $0.legend }
        f.record("match", of: BuilderInput.self) { $0.match }
        f.text("countName") { "\($0.path).count" }
        f.text("count") { "\($0.count)" }
        f.text("kindName") { "\($0.path).kind" }
        f.list("inputs", of: BuilderInput.self) { $0.inputs }
        f.optionalText("error") { $0.error }
        f.flag("canAddGroup") { $0.canAddGroup }
        f.flag("canRemove") { $0.canRemove }
        f.text("addCommand") { "add \($0.path)" }
        f.text("groupCommand") { "group \($0.path)" }
        f.text("removeCommand") { "remove \($0.path)" }
        f.optionalText("joint") { $0.joint }
    }
}

/// Lays a draft out as lines with their controls.
struct BuilderRows {
    let vocabulary: BuilderVocabulary
    let errors: ValidationErrors

    func rows(_ draft: DraftGroup) -> [BuilderRow] {
        var number = 0
        return rows(draft, DraftGroup.root, "filterRules", depth: 0, joint: nil, &number)
    }

    private func rows(
        _ group: DraftGroup, _ path: String, _ place: String, depth: Int, joint: String?, _ number: inout Int
    ) -> [BuilderRow] {
        let isRoot: Bool = depth == 0
        var open = BuilderRow(
            kind: "open", path: path, depth: depth, legend: isRoot ? "Who is in it" : "Group", count: group.nodes.count,
            canRemove: !isRoot, joint: joint)
        open.match = BuilderInput(
            kind: "select", name: "\(path).match", label: isRoot ? "Match people for whom" : "For whom",
            options: [
                SelectOption(value: "all", label: "all of this is true", selected: group.match == .all),
                SelectOption(value: "any", label: "any of this is true", selected: group.match == .any),
                SelectOption(value: "none", label: "none of this is true", selected: group.match == .none),
            ], refreshes: true)
        open.error = errors[place] ?? errors["\(place).\(group.match.rawValue)"]
        var rows: [BuilderRow] = [open]
        let word: String = group.match == .all ? "and" : group.match == .any ? "or" : "nor"
        for (index, node) in group.nodes.enumerated() {
            let (ownPath, ownPlace): (String, String) = (
                "\(path).\(index)", "\(place).\(group.match.rawValue)[\(index)]"
            )
            let ownJoint: String? = index == 0 ? nil : word
            switch node {
            case .group(let inner):
                rows += self.rows(inner, ownPath, ownPlace, depth: depth + 1, joint: ownJoint, &number)
            case .leaf(let leaf):
                number += 1
                rows.append(row(leaf, ownPath, ownPlace, depth: depth + 1, joint: ownJoint, number))
            }
        }
        var close = BuilderRow(kind: "close", path: path, depth: depth, legend: "")
        close.canAddGroup = depth + 1 < RuleParser.depthLimit
        rows.append(close)
        return rows
    }

    private func row(
        _ leaf: DraftLeaf, _ path: String, _ place: String, depth: Int, joint: String?, _ number: Int
    ) -> BuilderRow {
        var row = BuilderRow(kind: "leaf", path: path, depth: depth, legend: "Condition \(number)", joint: joint)
        let controls = LeafControls(vocabulary: vocabulary, leaf: leaf, path: path, place: place, errors: errors)
        row.inputs = controls.inputs
        row.canRemove = true
        row.error = errors[place]
        return row
    }
}
