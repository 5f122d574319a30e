/// Turns the parser's events into a tree, and stops the parser when a limit is passed.
final class HTMLTreeBuilder {
    private let limits: MarkupLimits
    private let nonce: String
    private var open: [HTMLElement] = []
    private var text: [UInt8] = []
    private var nodes = 0

    var roots: [HTMLNode] = []
    var doctype: String?
    var stop: (() -> Void)?
    private(set) var failure: MarkupError?

    init(limits: MarkupLimits, nonce: String) {
        self.limits = limits
        self.nonce = nonce
    }

    func start(_ name: String, attributes: [HTMLAttribute]) {
        guard failure == nil else { return }
        flushText()
        let element = HTMLElement(name.lowercased(), attributes: attributes.map(withoutDisguise))
        open.append(element)
        if open.count > limits.depth { fail(.tooDeep(limit: limits.depth)) }
    }

    func end(_ name: String) {
        guard failure == nil, open.contains(where: { $0.name == name.lowercased() }) else { return }
        flushText()
        while let element = open.popLast() {
            attach(node(for: element))
            if element.name == name.lowercased() { return }
        }
    }

    func append(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard failure == nil else { return }
        text.append(contentsOf: bytes)
    }

    func comment(_ value: String) {
        guard failure == nil else { return }
        flushText()
        attach(.comment(value))
    }

    /// Closes what is still open.
    func finish() {
        guard failure == nil else { return }
        flushText()
        while let element = open.popLast() { attach(node(for: element)) }
    }

    private func flushText() {
        guard !text.isEmpty else { return }
        let value = Self.cleaned(String(decoding: text, as: UTF8.self))
        text.removeAll(keepingCapacity: true)
        if !value.isEmpty { attach(.text(value)) }
    }

    private func attach(_ node: HTMLNode) {
        nodes += 1
        if nodes > limits.nodes { fail(.tooManyNodes(limit: limits.nodes)) }
        if open.isEmpty {
            roots.append(node)
        } else {
            open[open.count - 1].children.append(node)
        }
    }

    private func fail(_ error: MarkupError) {
        guard failure == nil else { return }
        failure = error
        stop?()
    }

    /// Liquid in the head was disguised as a `<meta>`, the one empty element that may stand everywhere there.
    private func node(for element: HTMLElement) -> HTMLNode {
        guard element.name == "meta", let mark = element.attributes.first,
            mark.name.unicodeScalars.first == LiquidMarks.opening
        else { return .element(element) }
        return .text(mark.name)
    }

    /// Liquid between attributes was disguised as an attribute, and attributes after it got a prefix that keeps two of
    /// one name (`{% if a %}class="x"{% else %}class="y"{% endif %}`) apart.
    private func withoutDisguise(_ attribute: HTMLAttribute) -> HTMLAttribute {
        let attribute = HTMLAttribute(attribute.name, Self.cleaned(attribute.value))
        guard attribute.name.hasPrefix(nonce) else { return attribute }
        let rest = attribute.name.dropFirst(nonce.count)
        if rest.first == "t", let index = Int(rest.dropFirst()) {
            return HTMLAttribute(LiquidMarks.mark(index), "")
        }
        guard let dash = rest.firstIndex(of: "-") else { return attribute }
        return HTMLAttribute(String(rest[rest.index(after: dash)...]), attribute.value)
    }

    /// Entities may stand for characters that the source itself may not hold; marks stay.
    private static func cleaned(_ text: String) -> String {
        func isForeign(_ scalar: Unicode.Scalar) -> Bool {
            LiquidGuard.isForbidden(scalar) && scalar != LiquidMarks.opening && scalar != LiquidMarks.closing
        }
        guard text.unicodeScalars.contains(where: isForeign) else { return text }
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: text.unicodeScalars.filter { !isForeign($0) })
        return String(scalars)
    }
}
