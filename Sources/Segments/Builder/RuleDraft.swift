import Core
import Web

/// A rule as somebody is making it in the builder: anything may be missing or wrong.
indirect enum DraftNode: Sendable, Equatable {
    case group(DraftGroup)
    case leaf(DraftLeaf)
}

struct DraftGroup: Sendable, Equatable {
    var match: RuleGroup.Match = .all
    var nodes: [DraftNode] = []

    /// What a new segment begins with.
    static let empty = DraftGroup(nodes: [.leaf(DraftLeaf())])
}

/// A condition or a behaviour with what stands in its controls.
struct DraftLeaf: Sendable, Equatable {
    /// `properties.plan`, or `did.opened` for behaviours; empty while nothing is chosen.
    var subject = ""
    var comparison = ""
    /// The other controls by their names, as texts.
    var inputs: [String: [String]] = [:]
    /// Conditions on the properties of an event.
    var filters: [DraftFilter] = []

    func text(_ name: String) -> String { inputs[name]?.first?.trimmed ?? "" }
    func all(_ name: String) -> [String] { (inputs[name] ?? []).map(\.trimmed).filter { !$0.isEmpty } }

    static let names: [String] = [
        "value", "second", "values", "lines", "times", "within", "days", "from", "to", "campaign", "by", "link", "name",
    ]
}

/// A button of the builder: what to do with which part.
enum DraftCommand: Sendable, Equatable {
    case addCondition(String)
    case addGroup(String)
    case remove(String)
    /// A condition on the properties of an event.
    case addFilter(String)
    case removeFilter(String)
    /// Show the controls that belong to what was chosen.
    case apply

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        switch (words.first, words.count) {
        case ("add", 2): self = .addCondition(words[1])
        case ("group", 2): self = .addGroup(words[1])
        case ("remove", 2): self = .remove(words[1])
        case ("where", 2): self = .addFilter(words[1])
        case ("unwhere", 2): self = .removeFilter(words[1])
        case ("apply", 1): self = .apply
        default: return nil
        }
    }
}

extension DraftGroup {
    /// The place of the outermost group among the names of controls; its parts are `r.0`, `r.1` …
    static let root = "r"

    /// Reads what a form says; groups deeper than rules may be are left out.
    init(_ form: FormValues) {
        self.init(form, at: Self.root, depth: 1)
    }

    private init(_ form: FormValues, at path: String, depth: Int) {
        match = RuleGroup.Match(rawValue: form.text("\(path).match")) ?? .all
        let count: Int = min(max(form.integer("\(path).count") ?? 0, 0), RuleParser.conditionLimit)
        for index in 0..<count {
            let place: String = "\(path).\(index)"
            if form.text("\(place).kind") == "group" {
                if depth < RuleParser.depthLimit { nodes.append(.group(DraftGroup(form, at: place, depth: depth + 1))) }
            } else {
                nodes.append(.leaf(DraftLeaf(form, at: place)))
            }
        }
    }

    mutating func perform(_ command: DraftCommand) {
        switch command {
        case .addCondition(let path): edit(path) { $0.nodes.append(.leaf(DraftLeaf())) }
        case .addGroup(let path):
            edit(path) { $0.nodes.append(.group(DraftGroup(match: .any, nodes: [.leaf(DraftLeaf())]))) }
        case .remove(let path):
            let parts = path.split(separator: ".")
            guard parts.count > 1, let last = parts.last.flatMap({ Int($0) }) else { return }
            edit(parts.dropLast().joined(separator: ".")) { group in
                if group.nodes.indices.contains(last) { group.nodes.remove(at: last) }
            }
        case .addFilter(let path):
            editLeaf(path) { leaf in
                if leaf.filters.count < DraftFilter.limit { leaf.filters.append(DraftFilter()) }
            }
        case .removeFilter(let path):
            let parts = path.split(separator: ".")
            guard parts.count > 2, let last = parts.last.flatMap({ Int($0) }) else { return }
            editLeaf(parts.dropLast().joined(separator: ".")) { leaf in
                if leaf.filters.indices.contains(last) { leaf.filters.remove(at: last) }
            }
        case .apply: break
        }
    }

    private mutating func editLeaf(_ path: String, _ change: (inout DraftLeaf) -> Void) {
        let parts = path.split(separator: ".")
        guard parts.count > 1, let last = parts.last.flatMap({ Int($0) }) else { return }
        edit(parts.dropLast().joined(separator: ".")) { group in
            guard group.nodes.indices.contains(last), case .leaf(var leaf) = group.nodes[last] else { return }
            change(&leaf)
            group.nodes[last] = .leaf(leaf)
        }
    }

    private mutating func edit(_ path: String, _ change: (inout DraftGroup) -> Void) {
        edit(path.split(separator: ".").dropFirst().compactMap { Int($0) }[...], change)
    }

    private mutating func edit(_ steps: ArraySlice<Int>, _ change: (inout DraftGroup) -> Void) {
        guard let step = steps.first else { return change(&self) }
        guard nodes.indices.contains(step), case .group(var inner) = nodes[step] else { return }
        inner.edit(steps.dropFirst(), change)
        nodes[step] = .group(inner)
    }
}

extension DraftLeaf {
    init(_ form: FormValues, at path: String) {
        subject = form.text("\(path).field")
        comparison = form.text("\(path).operator")
        for name in Self.names {
            let values: [String] = form.all("\(path).\(name)")
            if !values.isEmpty { inputs[name] = values }
        }
        filters = DraftFilter.all(form, at: path)
    }
}
