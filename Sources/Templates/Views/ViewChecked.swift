/// A part of a view whose names, types and places are known to be right.
indirect enum ViewChecked: Sendable {
    case bytes([UInt8])
    case emit(ViewExpression, ViewEscape)
    case branch([(test: ViewTest?, body: [ViewChecked])])
    case loop(item: Int, list: ViewExpression, body: [ViewChecked], otherwise: [ViewChecked])
    case block(String, [ViewChecked])
    case call(ViewCheckedCall)
    case yield(String)
    case fragment(String, [ViewChecked])
}

/// A call of another view, with a value for each of its parameters by binding.
struct ViewCheckedCall: Sendable {
    let name: String
    let arguments: [Int: ViewExpression]
    let slots: [String: [ViewChecked]]
}

/// A file that was checked.
struct ViewCheckedFile: Sendable {
    let name: String
    let layout: ViewCheckedCall?
    let body: [ViewChecked]
    /// The content of a layout's blocks, when the file has a layout.
    let blocks: [String: [ViewChecked]]
    let fragments: [String: [ViewChecked]]
    /// The blocks it declares for those who use it as a layout.
    let declared: Set<String>
}

/// What callers need to know of a view before it is checked.
struct ViewSignature: Sendable {
    struct Parameter: Sendable {
        let name: String
        let binding: Int
        let type: ViewType
        let fallback: ViewConstant?
        var isRequired: Bool { fallback == nil && !type.isOptional }
    }

    var parameters: [Parameter] = []
    /// Slots the view yields; the unnamed one is "".
    var slots: Set<String> = []
    var isPage = false
    /// Parameters whose type is unknown: that is told once, where they are declared.
    var unresolved: Set<String> = []
}

/// The names in reach at one point of a view, and what is known of them there.
struct ViewScope: Sendable {
    var names: [String: (binding: Int, type: ViewType)] = [:]
    /// Bindings of loops around, innermost last.
    var loops: [Int] = []
    /// Paths known to be present.
    var present: Set<String> = []

    static func key(_ binding: Int, _ slots: [Int]) -> String {
        "\(binding)" + slots.map { ".\($0)" }.joined()
    }
}

/// What a condition says about absent values when it holds, and when it does not.
struct ViewFacts: Sendable {
    var whenTrue: Set<String> = []
    var whenFalse: Set<String> = []
}

/// A checked expression with its type, and the key of its path for what is known about it.
struct ViewTyped: Sendable {
    let expression: ViewExpression
    let type: ViewType
    var key: String?
    var isJSON = false
    var isURLEncoded = false
}
