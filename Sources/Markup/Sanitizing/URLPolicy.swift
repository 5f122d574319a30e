/// Which addresses may stand in an attribute.
package struct URLPolicy: Sendable, Equatable {
    /// Lower-case schemes. Addresses without a scheme are allowed too.
    package let schemes: Set<String>

    package init(schemes: Set<String>) {
        self.schemes = schemes
    }

    package static let link = URLPolicy(schemes: ["http", "https", "mailto", "tel", "sms"])
    package static let image = URLPolicy(schemes: ["http", "https", "cid"])

    /// The address without what browsers ignore in it (tab, line ends, other controls, white space around it), or nil when
    /// its scheme is not allowed. The value is already free of entities.
    ///
    /// An address that begins with a Liquid output is allowed: only the sender knows its scheme and checks it after
    /// rendering. Liquid that could complete a scheme (`java{{ x }}`, `{{…}}` apart) is refused, and so is every branch of
    /// an `if` that would be refused on its own.
    func cleaned(_ value: String, liquid: LiquidMarks) -> String? {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: value.unicodeScalars.filter { $0.value > 31 && $0.value != 127 })
        let address = String(scalars).trimmed
        var branch: [LiquidPiece] = []
        for piece in liquid.pieces(of: address) {
            if case .tag(let tag, _) = piece, !tag.isOutput {
                guard tag.isControl, allows(branch) else { return nil }
                branch = []
            } else {
                branch.append(piece)
            }
        }
        return allows(branch) ? address : nil
    }

    private func allows(_ pieces: [LiquidPiece]) -> Bool {
        guard case .text(let text) = pieces.first else { return true }
        // By scalar: a combining mark after a colon would hide it from a comparison of characters.
        var head = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "/" || scalar == "?" || scalar == "#" { return true }
            if scalar == ":" { return schemes.contains(String(head).lowercased()) || isPort(head) }
            head.append(scalar)
        }
        return pieces.count == 1
    }

    /// `10:30` in the rest of an address after an `if`: a scheme begins with a letter (RFC 3986 §3.1).
    private func isPort(_ text: String.UnicodeScalarView) -> Bool {
        guard let first = text.first else { return false }
        return first.value >= 48 && first.value <= 57
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        var text = self[startIndex..<endIndex]
        while let first = text.first, first.isWhitespace { text = text.dropFirst() }
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
