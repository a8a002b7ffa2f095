/** A command that could not do its work; the message is one sentence for the person who typed it. */
export class CommandFailure extends Error {
  override name = 'CommandFailure';
}
