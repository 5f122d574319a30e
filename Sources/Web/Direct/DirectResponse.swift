import Core
import Cryptography
import Hummingbird
import NIOCore

/// An answer as it goes down the connection, head and body.
struct DirectResponse: Sendable {
    let status: HTTPResponse.Status
    let bytes: ByteBuffer
}

extension ResponseWriterRoom {
    /// The answer of a direct handler, with the same headers as the ordinary way gives it; a failure is a problem document.
    func direct(_ answer: Result<WebResponse, any Error>, path: String) -> DirectResponse {
        switch answer {
        case .success(let answer): written(answer)
        case .failure(let error):
            written(problemAnswer(error, id: Hexadecimal.encode(SecureRandom.bytes(8)), path: path))
        }
    }

    private func written(_ answer: WebResponse) -> DirectResponse {
        let body: [UInt8] = answer.storableBody ?? []
        var bytes = ByteBufferAllocator().buffer(capacity: 512 + body.count)
        bytes.writeString("HTTP/1.1 \(answer.status.code) \(answer.status.reasonPhrase)\r\n")
        for field in rawHeaders(answer) { bytes.writeField(field.name.rawName, field.value) }
        bytes.writeField("Date", HTTPDate.now(configuration.clock))
        bytes.writeField("Content-Length", String(body.count))
        bytes.writeString("\r\n")
        bytes.writeBytes(body)
        return DirectResponse(status: answer.status, bytes: bytes)
    }
}

extension ByteBuffer {
    /// A line of a head. The types of headers see to it that values hold no line ends.
    fileprivate mutating func writeField(_ name: String, _ value: String) {
        writeString(name)
        writeStaticString(": ")
        writeString(value)
        writeStaticString("\r\n")
    }
}
