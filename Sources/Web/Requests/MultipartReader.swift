/// Reads `multipart/form-data` (RFC 7578) part by part as it arrives, in constant memory.
///
/// Parts come in order and each must be read, or skipped, before the next: the reader never holds more than one chunk.
package final class MultipartReader {
    package struct PartHead: Sendable, Equatable {
        package let name: String
        /// The file's name as the browser gave it; nil for an ordinary field. It is a label, never a path.
        package let fileName: String?
        package let contentType: String?
    }

    private var chunks: RequestBodyStream.AsyncIterator
    private let delimiter: [UInt8]
    private var buffer: [UInt8] = []
    private var position = 0
    private var insidePart = false
    private var ended = false

    private static let lineEnd: [UInt8] = [13, 10]
    private static let headerLimit = 16 * 1024

    /// - Throws: `WebError` 415 unless the content type is `multipart/form-data` with a boundary.
    package init(contentType: String?, body: RequestBodyStream) throws(WebError) {
        guard let contentType, let boundary = Self.boundary(of: contentType) else {
            throw .unsupportedMediaType(expected: "multipart/form-data with a boundary")
        }
        chunks = body.makeAsyncIterator()
        delimiter = Array("\r\n--\(boundary)".utf8)
        buffer = Self.lineEnd
    }

    /// The next part's head, or nil after the last one. What is left of the part before is skipped.
    package func nextPart() async throws -> PartHead? {
        while insidePart { _ = try await nextChunk() }
        guard !ended else { return nil }
        if position == 0, buffer.count <= 2 {
            // The preamble: everything before the first delimiter.
            insidePart = true
            while insidePart { _ = try await nextChunk() }
            guard !ended else { return nil }
        }
        return try await readHead()
    }

    /// The next bytes of the current part, or nil at its end.
    package func nextChunk() async throws -> [UInt8]? {
        guard insidePart else { return nil }
        while true {
            if let end = firstRange(of: delimiter, from: position) {
                let chunk = Array(buffer[position..<end])
                position = end + delimiter.count
                insidePart = false
                try await readDelimiterTail()
                return chunk.isEmpty ? nil : chunk
            }
            // All but what might be the beginning of the delimiter is safe to give away.
            let safeEnd = buffer.count - delimiter.count + 1
            if safeEnd > position {
                let chunk = Array(buffer[position..<safeEnd])
                position = safeEnd
                return chunk
            }
            try await fill()
        }
    }

    /// The whole of the current part as text; for ordinary fields.
    package func text(limit: Int = 1 << 20) async throws -> String {
        var bytes: [UInt8] = []
        while let chunk = try await nextChunk() {
            bytes += chunk
            guard bytes.count <= limit else { throw WebError.tooLarge(limit: limit) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func readDelimiterTail() async throws {
        while buffer.count - position < 2 { try await fill() }
        if buffer[position] == UInt8(ascii: "-"), buffer[position + 1] == UInt8(ascii: "-") {
            ended = true
            return
        }
        // Transport padding may stand between the boundary and the line's end (RFC 2046 §5.1.1).
        while let byte = try await peek(), byte == 32 || byte == 9 { position += 1 }
        while buffer.count - position < 2 { try await fill() }
        guard buffer[position] == 13, buffer[position + 1] == 10 else { throw Self.malformed }
        position += 2
    }

    private func peek() async throws -> UInt8? {
        if position == buffer.count { try await fill() }
        return buffer[position]
    }

    private func readHead() async throws -> PartHead {
        var headers: [String: String] = [:]
        while true {
            let line = try await readLine()
            if line.isEmpty { break }
            guard let colon = line.firstIndex(of: ":") else { throw Self.malformed }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmed
        }
        insidePart = true
        let disposition = headers["content-disposition"] ?? ""
        guard let name = Self.parameter("name", of: disposition) else { throw Self.malformed }
        return PartHead(
            name: name, fileName: Self.parameter("filename", of: disposition), contentType: headers["content-type"])
    }

    private func readLine() async throws -> String {
        while true {
            if let end = firstRange(of: Self.lineEnd, from: position) {
                let line = String(decoding: buffer[position..<end], as: UTF8.self)
                position = end + 2
                return line
            }
            guard buffer.count - position < Self.headerLimit else { throw Self.malformed }
            try await fill()
        }
    }

    /// Appends the next chunk. The end of the body before the closing delimiter is an error.
    private func fill() async throws {
        guard let chunk = try await chunks.next() else { throw Self.malformed }
        if position > 0 {
            buffer.removeFirst(position)
            position = 0
        }
        buffer += chunk
        if position == 0, buffer.count <= 2 { return }
    }

    private func firstRange(of pattern: [UInt8], from start: Int) -> Int? {
        guard buffer.count - start >= pattern.count else { return nil }
        let last = buffer.count - pattern.count
        return buffer.withUnsafeBufferPointer { bytes in
            pattern.withUnsafeBufferPointer { pattern in
                var index = start
                while index <= last {
                    if bytes[index] == pattern[0], (1..<pattern.count).allSatisfy({ bytes[index + $0] == pattern[$0] })
                    {
                        return index
                    }
                    index += 1
                }
                return nil
            }
        }
    }

    private static let malformed = WebError.badRequest(
        "The form's parts could not be read: it ended early or a boundary is missing.", code: "malformed_multipart")

    private static func boundary(of contentType: String) -> String? {
        guard contentType.lowercased().hasPrefix("multipart/form-data") else { return nil }
        guard let boundary = parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count) else {
            return nil
        }
        return boundary
    }

    /// A parameter of a header value, quoted or not. Browsers percent-encode quotes and line ends inside (WHATWG HTML).
    static func parameter(_ name: String, of header: String) -> String? {
        var rest = Substring(header)
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            guard let equals = rest.firstIndex(of: "=") else { return nil }
            let key = rest[..<equals].trimmed.lowercased()
            rest = rest[rest.index(after: equals)...]
            let value: String
            if rest.first == "\"" {
                var text = ""
                var escaped = false
                rest = rest.dropFirst()
                while let character = rest.popFirst() {
                    if escaped {
                        text.append(character)
                        escaped = false
                    } else if character == "\\", rest.first == "\"" || rest.first == "\\" {
                        escaped = true
                    } else if character == "\"" {
                        break
                    } else {
                        text.append(character)
                    }
                }
                value = text.replacing("%22", with: "\"").replacing("%0D%0A", with: " ")
            } else {
                value = rest.prefix { $0 != ";" }.trimmed
            }
            if key == name { return value }
        }
        return nil
    }
}
