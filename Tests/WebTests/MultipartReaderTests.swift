import Hummingbird
import NIOCore
import Testing

@testable import Web

@Suite("Uploads")
struct MultipartReaderTests {
    private static let contentType = "multipart/form-data; boundary=\"simple boundary\""

    /// The body handed over in pieces of the given size: boundaries fall anywhere.
    private func reader(_ body: String, pieces size: Int, contentType: String = contentType) throws -> MultipartReader {
        let bytes = Array(body.utf8)
        let (stream, source) = AsyncStream.makeStream(of: ByteBuffer.self)
        for start in stride(from: 0, to: bytes.count, by: size) {
            source.yield(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
        }
        source.finish()
        return try MultipartReader(
            contentType: contentType, body: RequestBodyStream(RequestBody(asyncSequence: stream), limit: 1 << 20))
    }

    private static let form = """
        preamble\r
        --simple boundary\r
        Content-Disposition: form-data; name="listId"\r
        \r
        42\r
        --simple boundary\r
        content-disposition: form-data; name="file"; filename="people \\"a\\".csv"\r
        Content-Type: text/csv\r
        \r
        email\r
        ana@example.com\r
        --simple bound\r
        \r
        --simple boundary--\r
        epilogue
        """

    @Test("Parts are read in order whatever the pieces they arrive in", arguments: [1, 2, 3, 7, 64, 4096])
    func reads(size: Int) async throws {
        let reader = try reader(Self.form, pieces: size)
        let first = try await reader.nextPart()
        #expect(first?.name == "listId")
        #expect(first?.fileName == nil)
        #expect(try await reader.text() == "42")
        let second = try await reader.nextPart()
        #expect(second?.name == "file")
        #expect(second?.fileName == "people \"a\".csv")
        #expect(second?.contentType == "text/csv")
        #expect(try await reader.text() == "email\r\nana@example.com\r\n--simple bound\r\n")
        #expect(try await reader.nextPart() == nil)
    }

    @Test("A part that nobody reads is skipped", arguments: [1, 5, 4096])
    func skips(size: Int) async throws {
        let reader = try reader(Self.form, pieces: size)
        _ = try await reader.nextPart()
        #expect(try await reader.nextPart()?.name == "file")
        #expect(try await reader.nextPart() == nil)
    }

    @Test("An empty part is empty, and an empty form has no parts")
    func readsEmptiness() async throws {
        let body = "--simple boundary\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n--simple boundary--\r\n"
        let reader = try reader(body, pieces: 3)
        #expect(try await reader.nextPart()?.name == "a")
        #expect(try await reader.text() == "")
        #expect(try await reader.nextPart() == nil)
        #expect(try await self.reader("--simple boundary--\r\n", pieces: 4).nextPart() == nil)
    }

    @Test(
        "A form that ends early or is no form is a clear error",
        arguments: [
            "", "nothing", "--simple boundary\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nunfinished",
            "--simple boundary\r\nno colon\r\n\r\nx\r\n--simple boundary--",
            "--simple boundary\r\nContent-Disposition: form-data\r\n\r\nx",
        ])
    func refuses(body: String) async throws {
        let reader = try reader(body, pieces: 8)
        await #expect(throws: WebError.self) {
            while try await reader.nextPart() != nil { _ = try await reader.text() }
        }
    }

    @Test(
        "Another content type, or none, is refused",
        arguments: ["text/csv", "multipart/form-data", "multipart/mixed; boundary=a"])
    func refusesType(type: String) {
        #expect(throws: WebError.self) { try reader("x", pieces: 1, contentType: type) }
    }
}
