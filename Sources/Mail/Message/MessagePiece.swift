/// A part of a message: text that is the same for everyone, or the place of a value.
package enum MessagePiece: Sendable, Equatable {
    case text(String)
    /// The place of a value, by its number in ``MessageValues``.
    case slot(Int)
}

extension MessagePiece: ExpressibleByStringLiteral {
    package init(stringLiteral value: String) {
        self = .text(value)
    }
}

/// One person's values, one behind the other in a single buffer that is used again for the next person.
///
/// Values are final: escaped for HTML where they go into HTML. The first value appended is slot 0.
package struct MessageValues: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    package init() {}

    package var count: Int { ends.count }

    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    package mutating func append(_ value: String) {
        bytes.append(contentsOf: value.utf8)
        ends.append(bytes.count)
    }

    package mutating func append(_ value: [UInt8]) {
        bytes.append(contentsOf: value)
        ends.append(bytes.count)
    }

    /// Lets the caller write the value into the buffer, for values that are built and not copied (a signed link).
    /// The closure may only append.
    package mutating func append(writing write: (inout [UInt8]) -> Void) {
        write(&bytes)
        ends.append(bytes.count)
    }

    func range(of slot: Int) -> Range<Int>? {
        guard slot >= 0, slot < ends.count else { return nil }
        return (slot == 0 ? 0 : ends[slot - 1])..<ends[slot]
    }
}
