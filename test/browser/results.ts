/** How a case went in the browser: it passed unless it says otherwise. */
export interface CaseResult {
  id: string;
  failed?: string;
  skipped?: string;
}
