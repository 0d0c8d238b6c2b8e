<?php
// Creates the pages that stand in standard input, one JSON object {"title", "text"} a line.

require_once getenv( 'MW_INSTALL_PATH' ) . '/maintenance/Maintenance.php';

use MediaWiki\MediaWikiServices;
use MediaWiki\Revision\SlotRecord;

class FillWiki extends Maintenance {
	public function execute() {
		$user = User::newSystemUser( User::MAINTENANCE_SCRIPT_USER, [ 'steal' => true ] );
		StubGlobalUser::setUser( $user );
		$pages = MediaWikiServices::getInstance()->getWikiPageFactory();
		$summary = CommentStoreComment::newUnsavedComment( '' );
		while ( ( $line = fgets( STDIN ) ) !== false ) {
			$row = json_decode( $line, true, 512, JSON_THROW_ON_ERROR );
			$title = Title::newFromTextThrow( $row['title'] );
			$updater = $pages->newFromTitle( $title )->newPageUpdater( $user );
			$updater->setContent( SlotRecord::MAIN, ContentHandler::makeContent( $row['text'], $title ) );
			$updater->saveRevision( $summary, EDIT_SUPPRESS_RC );
			if ( !$updater->wasSuccessful() ) {
				$this->fatalError( "{$row['title']}: {$updater->getStatus()}" );
			}
		}
	}
}

$maintClass = FillWiki::class;
require_once RUN_MAINTENANCE_IF_MAIN;
