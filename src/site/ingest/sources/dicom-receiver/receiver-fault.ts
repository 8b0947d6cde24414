// Why an association was refused or cut off, as the audit log and the list of sources name it. No code's text holds what a peer sent.

/** Refused before anything was taken. */
export type AssociationRefusalCode =
  | 'APPLICATION_CONTEXT_UNKNOWN'
  | 'ASSOCIATION_LIMIT'
  | 'CALLED_AE_UNKNOWN'
  | 'CALLING_AE_UNKNOWN'
  | 'DICOM_VERSION_UNKNOWN'
  | 'PEER_NOT_ALLOWED'
  | 'TLS_REFUSED';

/** Ended by us, or by the peer's going away, in the middle. */
export type AssociationFaultCode =
  | 'ASSOCIATION_ABORTED'
  | 'ASSOCIATION_TIMEOUT'
  | 'ECHO_FLOOD'
  | 'MALFORMED_DIMSE'
  | 'MALFORMED_PDU'
  | 'OBJECT_TOO_LARGE'
  | 'PDU_TOO_LARGE'
  | 'RECEIVER_CLOSED'
  | 'UNEXPECTED_PDU';

/** Leaves the reading of one association; caught by it and answered with an A-ABORT. */
export class AssociationFault extends Error {
  readonly code: AssociationFaultCode;

  constructor(code: AssociationFaultCode) {
    super(code);
    this.code = code;
  }
}
