import Core
import FoundationEssentials

/// A look over a JSON body before it is decoded: refuses what no member could take, and what readers disagree about.
struct JSONCheck {
    /// Nesting deeper than this has no use in this API and would only exhaust the stack.
    static let depthLimit = 32

    /// The names that an open object has had so far; nil for an array.
    private var open: [Set<[UInt8]>?] = []
    private var expectsName = false
    private let bytes: [UInt8]

    /// - Throws: `WebError` 400 for broken UTF-8, U+0000, deep nesting or a member given twice. Other mistakes are left
    ///   to the decoder.
    static func run(_ bytes: [UInt8]) throws(WebError) {
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw .badRequest("The body is not UTF-8.", code: "malformed_json")
        }
        var check = JSONCheck(bytes: bytes)
        try check.walk()
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func walk() throws(WebError) {
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index = try string(from: index)
                continue
            case UInt8(ascii: "{"): try enter([])
            case UInt8(ascii: "["): try enter(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                expectsName = false
            case UInt8(ascii: ","):
                expectsName = open.last.map { $0 != nil } ?? false
            default: break
            }
            index += 1
        }
    }

    private mutating func enter(_ names: Set<[UInt8]>?) throws(WebError) {
        open.append(names)
        expectsName = names != nil
        guard open.count <= Self.depthLimit else {
            throw .badRequest("The JSON is nested deeper than \(Self.depthLimit) levels.", code: "too_deep")
        }
    }

    /// Passes over the string that begins at an index; answers the index behind it.
    private mutating func string(from start: Int) throws(WebError) -> Int {
        var index = start + 1
        var isEscaped = false
        while index < bytes.count, bytes[index] != UInt8(ascii: "\"") {
            if bytes[index] == UInt8(ascii: "\\") {
                isEscaped = true
                guard !bytes[(index + 1)...].starts(with: Self.escapedNul) else {
                    throw .badRequest("Text must not contain the character U+0000.", code: "nul_character")
                }
                index += 1
            }
            index += 1
        }
        guard index < bytes.count else { return index }
        if expectsName { try take(name: Array(bytes[start...index]), isEscaped: isEscaped) }
        return index + 1
    }

    private static let escapedNul = Array("u0000".utf8)

    private mutating func take(name quoted: [UInt8], isEscaped: Bool) throws(WebError) {
        expectsName = false
        var name = Array(quoted.dropFirst().dropLast())
        // Two spellings of one name are one name.
        if isEscaped, let plain = try? JSONDecoder().decode(String.self, from: Data(quoted)) {
            name = Array(plain.utf8)
        }
        guard let last = open.indices.last, open[last]?.insert(name).inserted == false else { return }
        let shown = String(decoding: name.prefix(60), as: UTF8.self)
        throw .badRequest("The member “\(shown)” is given twice.", code: "duplicate_member")
    }
}
