import Core
import FoundationEssentials
import Hummingbird
import Web

/// An answer, read to its end.
package struct TestResponse: Sendable {
    package let status: HTTPResponse.Status
    package let headers: HTTPFields
    package let bytes: [UInt8]

    init(reading response: Response) async throws {
        let collector = Collector()
        try await response.body.write(CollectingWriter(collector: collector))
        status = response.status
        headers = response.headers
        bytes = collector.bytes
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package var location: String? { headers[.location] }

    package func json() throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    }

    /// The page's elements.
    package func page() throws -> HTMLPage {
        try HTMLPage(text)
    }

    /// Cookies that were set: name and value.
    var cookies: [(String, String)] {
        headers[values: .setCookie].compactMap { header in
            let pair = header.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return pair.count == 2 ? (String(pair[0]), String(pair[1])) : nil
        }
    }
}

private final class Collector {
    var bytes: [UInt8] = []
}

private struct CollectingWriter: ResponseBodyWriter {
    let collector: Collector

    mutating func write(_ buffer: ByteBuffer) async throws {
        collector.bytes += Array(buffer.readableBytesView)
    }

    consuming func finish(_: HTTPFields?) async throws {}
}
